/**
 * Parses JSON as Nx reads it: comments and commas before a closing bracket are allowed.
 * Throws `SyntaxError`, whose message is that of `JSON.parse`.
 */
export function parseJsonc(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = text
      .replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '$1')
      .replaceAll(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/g, '$1');
    // The positions in a message would be wrong once something was taken out.
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}
