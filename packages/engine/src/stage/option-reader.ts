import { suggestion } from '../util/did-you-mean.js';

/** One thing that is wrong in the options of a stage, and what to do about it. */
export interface OptionProblem {
  /** `command`, `outs[1].path`, … */
  readonly option: string;
  readonly message: string;
  readonly hint: string;
}

/** Options as they were declared, with the list that problems are added to. Reading goes on after a problem, so that all are reported at once. */
export interface OptionReader {
  readonly options: ReadonlyMap<string, unknown>;
  /** Put before the names of options: `outs[1].`, or nothing. */
  readonly prefix: string;
  readonly problems: OptionProblem[];
}

/** One text of a list option. `option` is its place: `deps[3]`. */
export interface ListedText {
  readonly option: string;
  readonly text: string;
}

/** Opens an object of options; reports anything else, and keys that are not known. */
export function openOptions(
  value: unknown,
  prefix: string,
  known: readonly string[],
  problems: OptionProblem[],
): OptionReader {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const option = prefix === '' ? 'options' : prefix.slice(0, -1);
    problems.push({ option, message: 'is not an object', hint: 'Write the options as a JSON object.' });
    return { options: new Map(), prefix, problems };
  }
  const options = new Map<string, unknown>(Object.entries(value).filter(([, entry]) => entry !== undefined));
  for (const name of options.keys()) {
    if (known.includes(name)) continue;
    problems.push({
      option: `${prefix}${name}`,
      message: `is not an option.${suggestion(name, known)}`,
      hint: `Known are: ${known.join(', ')}.`,
    });
  }
  return { options, prefix, problems };
}

/** A text, or `undefined` when the option is absent or wrong. */
export function textOption(reader: OptionReader, name: string): string | undefined {
  const value = reader.options.get(name);
  return value === undefined ? undefined : checkText(reader, `${reader.prefix}${name}`, value);
}

/** `true` or `false`; `fallback` when the option is absent or wrong. */
export function flagOption(reader: OptionReader, name: string, fallback: boolean): boolean {
  const value = reader.options.get(name);
  if (value === undefined || typeof value === 'boolean') return value ?? fallback;
  report(reader, name, `is ${show(value)}, not true or false`, 'Write true or false, without quotes.');
  return fallback;
}

/** One of the given words; `undefined` when the option is absent or wrong. */
export function choiceOption<T extends string>(
  reader: OptionReader,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = reader.options.get(name);
  if (value === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const meant = typeof value === 'string' ? suggestion(value, choices) : '';
  report(reader, name, `is ${show(value)}.${meant}`, `Write one of: ${choices.join(', ')}.`);
  return undefined;
}

/** The elements of a list option, of any type. */
export function listOption(reader: OptionReader, name: string): readonly (readonly [option: string, value: unknown])[] {
  const value = reader.options.get(name);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((element: unknown, at) => [`${reader.prefix}${name}[${at}]`, element]);
  report(reader, name, `is ${show(value)}, not a list`, `Write a list: "${name}": [ … ].`);
  return [];
}

/** The texts of a list option; what is no text is reported and left out. */
export function textsOption(reader: OptionReader, name: string): ListedText[] {
  return listOption(reader, name).flatMap(([option, value]) => {
    const text = checkText(reader, option, value);
    return text === undefined ? [] : [{ option, text }];
  });
}

/** Reports a text that stands twice in a list, after both were brought to one form. */
export function reportTwice(
  problems: OptionProblem[],
  entries: Iterable<readonly [option: string, key: string]>,
): void {
  const first = new Map<string, string>();
  for (const [option, key] of entries) {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, option);
    else
      problems.push({
        option,
        message: `${JSON.stringify(key)} is listed twice, first as ${earlier}`,
        hint: 'Remove one.',
      });
  }
}

function report(reader: OptionReader, name: string, message: string, hint: string): void {
  reader.problems.push({ option: `${reader.prefix}${name}`, message, hint });
}

function checkText(reader: OptionReader, option: string, value: unknown): string | undefined {
  if (typeof value !== 'string') {
    reader.problems.push({ option, message: `is ${show(value)}, not a text`, hint: 'Write a text in quotes.' });
    return undefined;
  }
  if (value.isWellFormed() && !value.includes('\0')) return value;
  reader.problems.push({ option, message: 'holds a NUL or a broken Unicode character', hint: 'Remove it.' });
  return undefined;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
