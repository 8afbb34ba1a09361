// @ts-check
// The processes of the race that collect the remote.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectRemote } from '../../packages/engine/dist/remote/gc/collect.js';
import { openStore } from '../../packages/engine/dist/store/store.js';
import { locksOf } from './locks.mjs';
import { namedRoots } from './pusher.mjs';
import { GRACE_MS, openRaceRemote, TIMES } from './remote-place.mjs';

/** @typedef {import('../../packages/engine/dist/model/digest.js').Digest} Digest */

/** @param {string} base @param {(counts: Record<string, number>) => void} report @returns {Promise<void>} */
export async function collectRemoteLoop(base, report) {
  const store = openStore({ dir: mkdtempSync(join(base, 'collector-')), durability: 'none' });
  const counts = { collections: 0, removed: 0, held: 0, late: 0 };
  report(counts);
  for (;;) {
    // Nobody knows all branches: most of what was pushed looks dead to somebody, but for what locks name now.
    const live = () => [
      ...namedRoots(base).filter(() => Math.random() < 0.15),
      ...[...locksOf(base).values()].flatMap(({ root, pushed = root }) => [root.digest, pushed.digest]),
    ];
    try {
      counts.removed += await collectOnce(base, store, live, GRACE_MS);
      counts.collections++;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ERR_HELD' && code !== 'ERR_GC_STOPPED') throw error;
      if (code === 'ERR_GC_STOPPED' && !/took longer|meanwhile/.test(String(error))) throw error;
      if (code === 'ERR_HELD') counts.held++;
      else counts.late++;
    }
    report(counts);
    await sleep(Math.random() * 400);
  }
}

/** When all have ended, everything is dead. @param {string} base */
export async function collectAll(base) {
  const store = openStore({ dir: mkdtempSync(join(base, 'collector-')), durability: 'none' });
  await sleep(TIMES.staleMs);
  const removed = await collectOnce(base, store, () => [], 0);
  store.close();
  return removed;
}

/** All roots are known to the collection. @param {string} base @param {import('../../packages/engine/dist/store/store.js').Store} store @param {() => Digest[]} live @param {number} graceMs */
async function collectOnce(base, store, live, graceMs) {
  const everything = new Set(namedRoots(base));
  const { freed } = await collectRemote({
    remote: openRaceRemote(base),
    reader: store.reader,
    roots: async () => ({ live: new Set(live()), known: new Set([...everything, ...namedRoots(base)]) }),
    graceMs,
    foreignMs: 0,
    nowMs: Date.now(),
    by: 'race',
    times: graceMs === 0 ? { staleMs: TIMES.staleMs, mostMs: 600_000 } : TIMES,
  });
  return freed.objects;
}
