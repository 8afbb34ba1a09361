// @ts-check
// The process of the race that collects.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../../packages/engine/dist/store/gc/collect.js';
import { openStore } from '../../packages/engine/dist/store/store.js';
import { lockedRoots } from './workspace.mjs';

/** @typedef {import('../../packages/engine/dist/store/store.js').Store} Store */

/** @param {string} base @param {(counts: Record<string, number>) => void} report @returns {Promise<void>} */
export async function collectLoop(base, report) {
  const store = openStore({ dir: join(base, 'store'), durability: 'none' });
  report({});
  for (let collections = 1, removed = 0; ; collections++) {
    const outcome = await collectOnce(base, store);
    removed += outcome.removed.blobs + outcome.removed.trees;
    report({ collections, removed });
    await sleep(Math.random() * 20);
  }
}

/** Only locks and leases protect. @param {string} base @param {Store} store */
export async function collectOnce(base, store) {
  const outcome = await collect(store, {
    roots: { live: async () => lockedRoots(base), recorded: async () => [], isOnRemote: async () => true },
  });
  for (const problem of outcome.problems) throw problem;
  return outcome;
}
