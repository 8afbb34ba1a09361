import { parseRelPath, type RelPath } from '../model/path.js';
import { parseDeclaredDep, type TokenValues } from './declared-path.js';
import type { DeclaredOut } from './define-outs.js';
import { type OptionReader, textOption } from './option-reader.js';
import type { Foreach } from './stage.js';

/** Where the list lies of which item made which files of an out. */
export function itemsPath(out: RelPath): RelPath {
  return parseRelPath(`${out}.items.json`);
}

/** Reads `foreach`, `groupBy` and `itemsAtOnce`. A stage with items has one directory of its own, which Sluice puts together from what each item made. */
export function defineForeach(
  reader: OptionReader,
  project: TokenValues,
  outs: readonly DeclaredOut[],
): Foreach | undefined {
  const { options, problems } = reader;
  const declared = textOption(reader, 'foreach');
  const groupBy = defineGroupBy(reader);
  const atOnce = defineAtOnce(reader);
  if (declared === undefined) {
    for (const option of ['groupBy', 'itemsAtOnce']) {
      if (options.get(option) === undefined || options.has('foreach')) continue;
      problems.push({ option, message: 'is set, but there is no "foreach"', hint: 'Add "foreach", or remove it.' });
    }
    return undefined;
  }
  const glob = parseDeclaredDep(declared, project);
  if (!glob.ok || glob.value.kind !== 'glob') {
    const { message, hint } = glob.ok
      ? { message: 'is no pattern', hint: 'Write one: "{projectRoot}/raw/*.wav".' }
      : glob;
    problems.push({ option: 'foreach', message: `${JSON.stringify(declared)} ${message}`, hint });
    return undefined;
  }
  if (!options.has('command')) {
    problems.push({
      option: 'foreach',
      message: 'is set, but there is no command',
      hint: 'Add the command for one item.',
    });
  }
  const [out, ...others] = outs;
  if (out === undefined || others.length > 0 || !out.cache || out.persist) {
    problems.push({
      option: 'outs',
      message: 'have to be one directory that is kept in the store, since there is "foreach"',
      hint: 'Declare one path; what an item writes into $SLUICE_OUT becomes a part of it.',
    });
    return undefined;
  }
  return { glob: glob.value, groupBy, atOnce, out: out.path };
}

function defineGroupBy(reader: OptionReader): string | undefined {
  const text = textOption(reader, 'groupBy');
  if (text === undefined) return undefined;
  const hint = 'Write a regular expression for the path below the pattern, with one group: "^([^/]+)/".';
  try {
    if (new RegExp(`${text}|`, 'u').exec('')?.length === 2) return text;
    reader.problems.push({ option: 'groupBy', message: `${JSON.stringify(text)} has not one group`, hint });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reader.problems.push({ option: 'groupBy', message: `is no regular expression: ${reason}`, hint });
  }
  return undefined;
}

function defineAtOnce({ options, problems }: OptionReader): number | undefined {
  const value = options.get('itemsAtOnce');
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 256) return value;
  problems.push({
    option: 'itemsAtOnce',
    message: `is ${JSON.stringify(value)}, not a whole number from 1 to 256`,
    hint: 'Leave it out for as many as there are processors.',
  });
  return undefined;
}
