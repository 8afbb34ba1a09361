import { SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';

/** Aliases of a YAML file that are put in place before it counts as an attack on memory. */
const MAX_ALIASES = 1000;

/**
 * The value in the text of a param file; its format follows from its extension. Each parser is loaded when the first file of its format is
 * read. Throws `ERR_PARAM` with file and line.
 */
export async function parseParamText(file: RelPath, text: string): Promise<unknown> {
  const extension = /\.([^.]*)$/.exec(file)?.[1]?.toLowerCase();
  try {
    if (extension === 'json') return JSON.parse(text);
    if (extension === 'toml') return (await import('smol-toml')).parse(text, { integersAsBigInt: 'asNeeded' });
    return await parseYaml(text);
  } catch (error) {
    throw new SluiceError('ERR_PARAM', `param file ${file} cannot be parsed: ${describe(error, text)}`, {
      hint: 'Correct the file.',
      cause: error,
    });
  }
}

/** YAML 1.2 with merge keys (`<<`). Integers keep all their digits; times are texts, as YAML 1.2 has it. */
async function parseYaml(text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { merge: true, intAsBigInt: true, logLevel: 'error' });
  const [error] = document.errors;
  if (error?.code === 'MULTIPLE_DOCS') throw new Error('it holds several documents; write one');
  if (error !== undefined) throw error;
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

/** The first line of a message, with the line in the file; only JSON's own messages count in characters. */
function describe(error: unknown, text: string): string {
  const [first = ''] = messageOf(error).split('\n');
  if (typeof error === 'object' && error !== null && 'line' in error && typeof error.line === 'number') {
    return `${first} (line ${error.line})`;
  }
  const position = /at position (\d+)/.exec(first)?.[1];
  if (position === undefined || /\(line \d/.test(first)) return first.replace(/:$/, '');
  return `${first} (line ${text.slice(0, Number(position)).split('\n').length})`;
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
