// @ts-check
// The remote of the race, with times that are far shorter than the real ones.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestFromRaw } from '../../packages/engine/dist/model/digest.js';
import { Auditor } from '../../packages/engine/dist/remote/audit.js';
import { quietNote } from '../../packages/engine/dist/remote/gc/quiet-note.js';
import { parseKey } from '../../packages/engine/dist/remote/keys.js';
import { openRemote } from '../../packages/engine/dist/remote/remote.js';
import { fileStorage } from '../../packages/engine/dist/remote/storage/file.js';
import { openStore } from '../../packages/engine/dist/store/store.js';

/** @typedef {import('../../packages/engine/dist/store/store.js').Store} Store */
/** @typedef {import('../../packages/engine/dist/remote/storage/port.js').Storage} Storage */

/** As long as a push can take; whoever is stopped for longer than the rest of it is not protected. */
export const GRACE_MS = 4000;
export const TIMES = { lookMs: 500, limitMs: 1500, staleMs: 3500, mostMs: 2500, waitMs: 20_000, pollMs: 20 };

/** @param {string} base */
function storageOf(base) {
  return fileStorage({ dir: join(base, 'remote'), missingIsEmpty: true });
}

/** Requests take their time, some of them long. @param {Storage} storage @returns {Storage} */
function slowed(storage) {
  const wait = () => sleep(Math.random() < 0.01 ? Math.random() * 300 : Math.random() * 2);
  return {
    ...storage,
    stat: async (key, options) => wait().then(() => storage.stat(key, options)),
    get: async (key, range, options) => wait().then(() => storage.get(key, range, options)),
    put: async (key, body, options) => wait().then(() => storage.put(key, body, options)),
    delete: async (key, options) => wait().then(() => storage.delete?.(key, options)),
  };
}

/** @param {string} base @param {Store} [store] */
export function openRaceRemote(base, store) {
  const storage = slowed(storageOf(base));
  const quiet = store === undefined ? {} : { quiet: quietNote(store, storage.description) };
  return openRemote({ storage, area: 'shared', times: TIMES, ...quiet });
}

/** Maps that name what is not there, or is damaged. @param {string} base */
export async function problemsOn(base) {
  const store = openStore({ dir: join(base, 'audit'), durability: 'none' });
  const remote = openRemote({ storage: storageOf(base), area: 'shared' });
  const auditor = new Auditor({ remote, reader: store.reader, deep: true });
  /** @type {string[]} */
  const problems = [];
  for (const key of await keysOn(base)) {
    const parts = parseKey(key);
    if (parts?.kind !== 'maps') continue;
    const found = await auditor.problemsOf(parts.area, digestFromRaw(parts.raw));
    for (const { error } of found ?? []) problems.push(error.message);
  }
  store.close();
  return problems;
}

/** The keys of packs, maps and blobs. @param {string} base */
export async function keysOn(base) {
  /** @type {import('../../packages/engine/dist/remote/storage/port.js').StorageKey[]} */
  const keys = [];
  for await (const { key } of storageOf(base).list?.('') ?? []) if (parseKey(key) !== undefined) keys.push(key);
  return keys;
}
