import type { OutRoot } from '../model/root.js';
import { Auditor } from '../remote/audit.js';
import { fetchRoots } from '../remote/fetch.js';
import { type PushResult, pushRoots } from '../remote/push.js';
import { type Encoding, openRemote, type Remote } from '../remote/remote.js';
import type { Storage } from '../remote/storage/port.js';
import type { Store } from '../store/store.js';
import type { MemoryStorage } from './memory-storage.js';
import { type Files, flat, readFiles, temporaryStore } from './store-files.js';

export const AUTO: Encoding = { compression: 'auto', chunking: false };
export const NONE: Encoding = { compression: 'none', chunking: false };
export const CHUNKING: Encoding = { compression: 'auto', chunking: true };

export function openEncoded(storage: Storage, encoding: Encoding = AUTO): Remote {
  return openRemote({ storage, area: 'shared', encoding });
}

export function pushEncoded(
  store: Store,
  storage: Storage,
  root: OutRoot,
  encoding: Encoding = AUTO,
  previous: readonly OutRoot[] = [],
): Promise<PushResult> {
  return pushRoots({ remote: openEncoded(storage, encoding), store, roots: [{ root, previous }] });
}

/** What another clone gets from the remote, after which nothing of it is left. */
export async function fetched<T>(storage: Storage, root: OutRoot, look: (store: Store) => T): Promise<T> {
  const { store, remove } = temporaryStore();
  try {
    await fetchRoots({ remote: openEncoded(storage), store, wants: [{ root }] });
    return look(store);
  } finally {
    remove();
  }
}

/** Fails unless another clone gets these very files. */
export async function expectWhole(storage: Storage, root: OutRoot, files: Files): Promise<void> {
  expect(await fetched(storage, root, (store) => readFiles(store, root))).toEqual(flat(files));
}

/** The codes of what a deep audit finds without a store that could help. */
export async function auditedCodes(storage: Storage, root: OutRoot): Promise<string[] | undefined> {
  const { store, remove } = temporaryStore();
  try {
    const auditor = new Auditor({ remote: openEncoded(storage), reader: store.reader, deep: true });
    return (await auditor.problemsOf('shared', root.digest))?.map(({ error }) => error.code);
  } finally {
    remove();
  }
}

/** The packs of blobs. */
export function blobPacks(storage: MemoryStorage): Buffer[] {
  return [...storage.objects].filter(([key, bytes]) => key.includes('/packs/') && bytes[5] === 0).map(([, b]) => b);
}

export function packedBytes(storage: MemoryStorage): number {
  return blobPacks(storage).reduce((sum, pack) => sum + pack.length, 0);
}

/** Text like that of a table, which gets much smaller. */
export function table(rows: number, first = 0): Buffer {
  return Buffer.from(
    Array.from({ length: rows }, (_, i) => `${first + i},${(i * 7919) % 1000},item-${i % 13}\n`).join(''),
  );
}
