/** Texts that differ in more lines are only said to be different: looking for the shortest difference takes the square of its length. */
export const MOST_EDITS = 2000;

const CONTEXT_LINES = 3;

/** The hunks of a unified diff, without a head; `undefined` if the texts have too little in common. */
export async function compareText(before: string, after: string): Promise<string | undefined> {
  // Loaded here, because most commands compare no content.
  const { formatPatch, structuredPatch } = await import('diff');
  const patch = structuredPatch('', '', before, after, undefined, undefined, {
    context: CONTEXT_LINES,
    maxEditLength: MOST_EDITS,
  });
  if (patch === undefined) return undefined;
  const text = formatPatch(patch);
  return text.slice(Math.max(0, text.indexOf('@@')));
}
