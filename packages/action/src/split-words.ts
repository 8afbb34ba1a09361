/** Splits text into words as a shell does: at white space, but not between quotation marks. `undefined` if one is not closed. Nothing is replaced. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const [whole] = /^(?:[^\s"']+|"[^"]*"|'[^']*')+/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    words.push(whole.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
    rest = rest.slice(whole.length);
    if (rest !== '' && !/^\s/.test(rest)) return undefined;
    rest = rest.trim();
  }
  return words;
}
