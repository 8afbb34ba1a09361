// @ts-check
// The remote of the race, with times that are far shorter than the real ones.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3 } from '@aws-sdk/client-s3';
import { digestFromRaw } from '../../packages/engine/dist/model/digest.js';
import { Auditor } from '../../packages/engine/dist/remote/audit.js';
import { fetchRoots } from '../../packages/engine/dist/remote/fetch.js';
import { quietNote } from '../../packages/engine/dist/remote/gc/quiet-note.js';
import { parseKey } from '../../packages/engine/dist/remote/keys.js';
import { pushRoots } from '../../packages/engine/dist/remote/push.js';
import { openRemote } from '../../packages/engine/dist/remote/remote.js';
import { fileStorage } from '../../packages/engine/dist/remote/storage/file.js';
import { s3Storage } from '../../packages/engine/dist/remote/storage/s3.js';
import { openStore } from '../../packages/engine/dist/store/store.js';
import { startS3Server } from '../s3/server.mjs';
import { locksOf, writeLock } from './locks.mjs';

/** @typedef {import('../../packages/engine/dist/store/store.js').Store} Store */
/** @typedef {import('../../packages/engine/dist/remote/storage/port.js').Storage} Storage */

/** Set in the children of a race in a bucket. */
const endpoint = process.env.SLUICE_RACE_S3;

/** As long as a push can take; whoever is stopped for longer than the rest of it is not protected. A bucket knows seconds only. */
export const GRACE_MS = endpoint === undefined ? 4000 : 16_000;
/** How long a pusher waits at most before it pushes again: each map makes each collection longer. */
export const PAUSE_MS = endpoint === undefined ? 300 : 3000;
/** How long a collector lives at most: long enough to see the end of a grace period. */
export const COLLECTOR_LIFE_MS = 5 * GRACE_MS;
export const TIMES = {
  lookMs: 500,
  limitMs: endpoint === undefined ? 1500 : 5000,
  staleMs: endpoint === undefined ? 3500 : 12_000,
  mostMs: endpoint === undefined ? 2500 : 9000,
  waitMs: 20_000,
  pollMs: 20,
};

const RETRY = {
  attempts: 5,
  firstWaitMs: 20,
  longestWaitMs: 200,
  random: Math.random,
  sleep: async (/** @type {number} */ ms) => {
    await sleep(ms);
  },
};

/** @param {string} base @returns {Storage} */
function storageOf(base) {
  if (endpoint === undefined) return fileStorage({ dir: join(base, 'remote'), missingIsEmpty: true });
  return s3Storage({
    bucket: 'race',
    prefix: 'team/data',
    access: { endpoint },
    keeping: {},
    concurrency: 16,
    retry: RETRY,
    limits: { quietMs: 5000, pingMs: 5000, stallMs: 20_000 },
    writeOnce: { supported: true, learn: () => {} },
  });
}

/** Starts a server with an empty bucket, for this process and its children. Returns what ends it. */
export async function startRaceServer() {
  const server = await startS3Server();
  Object.assign(process.env, server.env, { SLUICE_RACE_S3: server.endpoint });
  const client = new S3({ endpoint: server.endpoint, forcePathStyle: true });
  await client.createBucket({ Bucket: 'race' });
  client.destroy();
  return server.stop;
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

/** What locks name whose push has ended, and is not whole on the remote for one who has nothing of it. @param {string} base */
export async function lostLocks(base) {
  /** @type {string[]} */
  const problems = [];
  let whole = 0;
  for (const [name, { pushed: root }] of locksOf(base)) {
    if (root === undefined) continue;
    const store = openStore({ dir: mkdtempSync(join(base, 'clone-')), durability: 'none' });
    try {
      const remote = openRemote({ storage: storageOf(base), area: 'shared' });
      await fetchRoots({ remote, store, wants: [{ root }] });
      whole++;
    } catch (error) {
      problems.push(`the lock of ${name}: ${error}`);
    }
    store.close();
  }
  return { whole, problems };
}

/** Each pusher pushes once more what its lock names, by what it knows of the remote from before. @param {string} base */
export async function pushLocks(base) {
  for (const [name, { root }] of locksOf(base)) {
    const store = openStore({ dir: join(base, name), durability: 'none' });
    await pushRoots({ remote: openRaceRemote(base, store), store, roots: [{ root }] });
    store.close();
    writeLock(base, name, { root, pushed: root });
  }
}

/** The keys of packs, maps and blobs. @param {string} base */
export async function keysOn(base) {
  /** @type {import('../../packages/engine/dist/remote/storage/port.js').StorageKey[]} */
  const keys = [];
  for await (const { key } of storageOf(base).list?.('') ?? []) if (parseKey(key) !== undefined) keys.push(key);
  return keys;
}
