/** The version of the documents that `--json` prints. */
const SCHEMA = 1;

/** The one document of a command: `schema` first, then what the command gives. */
export function jsonDocument(content: object): string {
  return `${JSON.stringify({ schema: SCHEMA, ...content }, undefined, 2)}\n`;
}
