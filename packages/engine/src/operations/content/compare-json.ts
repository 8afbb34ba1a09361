import { isDeepStrictEqual } from 'node:util';

/** A value that differs: its place, `a.b[0]`, and both sides as JSON; `null` where a side has none. */
export interface ValueChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What is nested deeper is compared as a whole. */
const DEEPEST = 64;

/** The values in which two JSON texts differ, by their places in order; `undefined` if one of them cannot be parsed. */
export function compareJson(before: string, after: string): ValueChange[] | undefined {
  try {
    const changes: ValueChange[] = [];
    collect(JSON.parse(before), JSON.parse(after), '', 0, changes);
    return changes;
  } catch {
    // Not JSON, or nested too deep for anything.
    return undefined;
  }
}

function collect(before: unknown, after: unknown, name: string, depth: number, changes: ValueChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (depth < DEEPEST && Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      collect(before[i], after[i], `${name}[${i}]`, depth + 1, changes);
    }
    return;
  }
  if (depth < DEEPEST && isPlain(before) && isPlain(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const place = name === '' ? key : `${name}.${key}`;
      collect(own(before, key), own(after, key), place, depth + 1, changes);
    }
    return;
  }
  changes.push({ name, before: textOf(before), after: textOf(after) });
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function textOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
