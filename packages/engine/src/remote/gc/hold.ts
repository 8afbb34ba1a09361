import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { SluiceError } from '../../errors.js';
import type { Area } from '../areas.js';
import { holdKey, holdsFolder } from '../keys.js';
import { bodyOf, type ListedObject, type Storage, type StorageKey } from '../storage/port.js';

/** How long a hold counts, and after how much of that its owner has to stop. In ms. */
export interface HoldTimes {
  readonly staleMs: number;
  readonly mostMs: number;
}

/** Those of the protocol: `docs/adr/0012-collecting-a-remote.md`. */
export const HOLD_TIMES: HoldTimes = { staleMs: 2 * 60 * 60 * 1000, mostMs: 60 * 60 * 1000 };

/** What the owner of a hold gets to know. */
export interface Hold {
  /** The time of the storage when the hold was written, in ms. */
  readonly nowMs: number;
  /** Whether there is time left to change something. A machine that slept knows by one of its two clocks. */
  mayGoOn(): boolean;
}

/** Runs `work` while nobody else collects the writer's own area. Throws `ERR_HELD` if somebody does, and `ERR_USAGE` for a remote that cannot list or delete. */
export async function withHold<T>(
  storage: Storage,
  own: Area,
  times: HoldTimes,
  signal: AbortSignal | undefined,
  work: (hold: Hold) => Promise<T>,
): Promise<T> {
  const remove = storage.delete?.bind(storage);
  if (storage.list === undefined || remove === undefined) {
    throw new SluiceError('ERR_USAGE', `${storage.description} cannot be collected: it cannot list or delete`, {
      hint: 'Collect a remote in a directory or in S3.',
    });
  }
  const key = holdKey(own, randomBytes(16));
  const began = { wallMs: Date.now(), runMs: performance.now() };
  const mayGoOn = (): boolean => Math.max(Date.now() - began.wallMs, performance.now() - began.runMs) < times.mostMs;
  try {
    await storage.put(key, bodyOf(Buffer.from(`${JSON.stringify({ version: 1, pid: process.pid })}\n`)), { signal });
    const holds = await listHolds(storage, own, signal);
    const nowMs = holds.find((hold) => hold.key === key)?.modifiedMs;
    if (nowMs === undefined) {
      throw new SluiceError('ERR_REMOTE_DOWN', `${storage.description} does not list what was written just now`, {
        hint: 'Nothing was deleted. A collection needs a storage whose listings are up to date.',
      });
    }
    for (const hold of holds) {
      if (hold.key === key) continue;
      if (isLive(hold, nowMs, times)) throw heldError(storage);
      await remove(hold.key, { signal });
    }
    return await work({ nowMs, mayGoOn });
  } finally {
    // Also after an interruption; where even that fails the hold is forgotten by its age.
    await remove(key).catch(() => undefined);
  }
}

/** Whether somebody may be deleting in an area just now. `nowMs`: the time of the storage. */
export async function isHeld(
  storage: Storage,
  area: Area,
  nowMs: number,
  times: HoldTimes,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await listHolds(storage, area, signal)).some((hold) => isLive(hold, nowMs, times));
}

/** What is told when a collection is in the way. */
export function heldError(storage: Storage, key?: StorageKey): SluiceError {
  const what = key === undefined ? '' : `, and may be deleting ${key}`;
  return new SluiceError('ERR_HELD', `somebody collects ${storage.description}${what}`, {
    hint: 'Try again later. A collection that was killed counts for two hours.',
  });
}

/** One from the future counts too. */
function isLive({ modifiedMs }: ListedObject, nowMs: number, { staleMs }: HoldTimes): boolean {
  return nowMs - modifiedMs < staleMs;
}

async function listHolds(storage: Storage, area: Area, signal: AbortSignal | undefined): Promise<ListedObject[]> {
  const holds: ListedObject[] = [];
  for await (const hold of storage.list?.(holdsFolder(area), { signal }) ?? []) holds.push(hold);
  return holds;
}
