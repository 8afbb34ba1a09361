import type { RequestCount } from './reports.js';

type Moved = 'sent' | 'received';

/** Files, objects and bytes that were moved, or were there already. */
export type MoveTally<A extends Moved> = Record<'files' | 'objects' | 'bytes', Record<A | 'reused', number>>;

export function emptyTally<A extends Moved>(moved: A): MoveTally<A> {
  const zero = (): Record<A | 'reused', number> => ({ [moved]: 0, reused: 0 }) as Record<A | 'reused', number>;
  return { files: zero(), objects: zero(), bytes: zero() };
}

export function addTally<A extends Moved>(
  total: MoveTally<A>,
  more: Readonly<Record<keyof MoveTally<A>, Readonly<Record<A | 'reused', number>>>>,
  moved: A,
): void {
  for (const what of ['files', 'objects', 'bytes'] as const) {
    total[what][moved] += more[what][moved];
    total[what].reused += more[what].reused;
  }
}

const KINDS = ['head', 'get', 'put', 'list', 'delete'] as const;

/** What was asked since a count was taken: a remote stays open over several operations. */
export function requestsSince(before: RequestCount, now: RequestCount): RequestCount {
  const since = { ...now };
  for (const kind of KINDS) since[kind] -= before[kind];
  return since;
}

export function sumOfRequests(counts: readonly RequestCount[]): RequestCount {
  const sum = { head: 0, get: 0, put: 0, list: 0, delete: 0 };
  for (const count of counts) for (const kind of KINDS) sum[kind] += count[kind];
  return sum;
}
