/**
 * Reading JSON that may be wrong in any way. Each reader takes the value, its place in the document and what to call when it
 * does not fit; it returns a typed value. Written by hand because every start of the command line parses locks and
 * configuration, and loading a schema library costs more than starting Node (65-100 ms against 40 ms).
 */

/** Reports the first problem; it throws the error of the document that is read. `place` is `''` for the whole document. */
export type Fail = (place: string, problem: string) => never;

/** Parses JSON text. Unlike `JSON.parse` it refuses a key that stands twice in one object, which a careless merge leaves behind. */
export function parseJson(text: string, fail: Fail): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail('', `is not JSON: ${syntaxProblem(error)}`);
  }
  const repeated = repeatedKey(text);
  return repeated === undefined ? value : fail('', `holds the key ${JSON.stringify(repeated)} twice in one object`);
}

/** An object's own entries. A key `__proto__` is refused: other programs that read the file would trip over it. */
export function asObject(value: unknown, place: string, fail: Fail): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(place, `is not an object`);
  const entries = new Map<string, unknown>(Object.entries(value));
  if (entries.has('__proto__')) return fail(place, 'holds the key "__proto__"');
  return entries;
}

/** A list. */
export function asList(value: unknown, place: string, fail: Fail): unknown[] {
  return Array.isArray(value) ? value : fail(place, 'is not a list');
}

/** A string without lone surrogates, which have no UTF-8 form. */
export function asText(value: unknown, place: string, fail: Fail): string {
  if (typeof value !== 'string') return fail(place, 'is not a text');
  return value.isWellFormed() ? value : fail(place, 'is not well-formed Unicode');
}

/** `true` or `false`. */
export function asFlag(value: unknown, place: string, fail: Fail): boolean {
  return typeof value === 'boolean' ? value : fail(place, 'is neither true nor false');
}

/** A text that is not empty and holds no NUL. */
export function asName(value: unknown, place: string, fail: Fail): string {
  const text = asText(value, place, fail);
  return text !== '' && !text.includes('\0') ? text : fail(place, 'is empty or holds a NUL');
}

/** One of some texts. */
export function asChoice<T extends string>(value: unknown, choices: readonly T[], place: string, fail: Fail): T {
  return (
    choices.find((choice) => choice === value) ??
    fail(place, `is not ${choices.map((choice) => JSON.stringify(choice)).join(' or ')}`)
  );
}

/** A whole number from 0 to 2^53 - 1. */
export function asCount(value: unknown, place: string, fail: Fail): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(place, 'is not a whole number from 0 up');
}

/** Refuses keys that are not among `known`. */
export function expectKeys(
  object: ReadonlyMap<string, unknown>,
  known: readonly string[],
  place: string,
  fail: Fail,
): void {
  for (const key of object.keys()) if (!known.includes(key)) fail(placeOf(place, key), 'is not known');
}

/** `stages.train.outs["a/b"]`: the place of a key inside the object at `place`. */
export function placeOf(place: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${place}[${JSON.stringify(key)}]`;
  return place === '' ? key : `${place}.${key}`;
}

/** Lines of an object: values are printed JSON, or further blocks. */
export type Block = readonly (readonly [key: string, value: string | Block])[];

/** Prints a block with two spaces of indentation and one line per value. */
export function printBlock(block: Block, indent = ''): string {
  if (block.length === 0) return '{}';
  const inner = `${indent}  `;
  const lines = block.map(
    ([key, value]) => `${inner}${JSON.stringify(key)}: ${typeof value === 'string' ? value : printBlock(value, inner)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** What `JSON.parse` found, without the piece of text that it quotes: that may be a secret. */
function syntaxProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (?:\.{3})?".*$/s, '');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const COLON = 0x3a;
const SPACE = 0x20;

/** The first key that stands twice in one object of valid JSON text. Works on character codes, since it sees every record and lock. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN) open.push(new Set());
    else if (code === CLOSE) open.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, at);
      if (isBeforeColon(text, end)) {
        const raw = text.slice(at, end);
        const key = raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has ended. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) at++;
  }
  return at + 1;
}

/** Valid JSON has nothing else than white space between a key and its colon, and all of that is at most a space. */
function isBeforeColon(text: string, from: number): boolean {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at++;
  return text.charCodeAt(at) === COLON;
}
