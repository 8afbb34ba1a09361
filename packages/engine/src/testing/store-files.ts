import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestFromRaw, rawDigestOf } from '../model/digest.js';
import { sortUtf8 } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { encodeDirectory } from '../model/split.js';
import { FILE, TREE } from '../model/tree.js';
import type { Ingestor } from '../store/ingest.js';
import { LOOSE_BYTES } from '../store/layout.js';
import { openStore, type Store } from '../store/store.js';
import { walkTree } from '../store/trees.js';

/** A directory of files: names to contents, or to further directories. */
export interface Files {
  readonly [name: string]: Buffer | Files;
}

/** A store in a temporary directory that does not wait for the disk. */
export function temporaryStore(): { store: Store; dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-remote-'));
  const store = openStore({ dir: join(dir, 'store'), durability: 'none' });
  return {
    store,
    dir,
    remove: () => {
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Opens temporary stores for a test file, and removes them after each test, or after all of them. */
export function useStores(after: typeof afterEach = afterEach): () => Store {
  const opened: ReturnType<typeof temporaryStore>[] = [];
  after(() => {
    for (const { remove } of opened.splice(0)) remove();
  });
  return () => {
    const temporary = temporaryStore();
    opened.push(temporary);
    return temporary.store;
  };
}

/** `count` files of `bytes` random bytes: `<prefix>0`, `<prefix>1`, … */
export function randomFiles(count: number, bytes: number, prefix = 'f'): Record<string, Buffer> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, randomBytes(bytes)]));
}

/** Brings a directory into a store and returns its root. */
export async function storeFiles(store: Store, files: Files): Promise<OutRoot> {
  return store.write((session) => {
    const ingestor = session.ingestor(true);
    const { raw, files: count, bytes } = addDirectory(ingestor, files);
    session.publish([ingestor.finish()]);
    return { kind: 'tree', digest: digestFromRaw(raw), exec: false, files: count, bytes };
  });
}

/** Brings one file into a store and returns its root. */
export async function storeFile(store: Store, content: Buffer): Promise<OutRoot> {
  return store.write((session) => {
    const ingestor = session.ingestor(false);
    const raw = addBlob(ingestor, content);
    session.publish([ingestor.finish()]);
    return { kind: 'blob', digest: digestFromRaw(raw), exec: false, files: 1, bytes: content.length };
  });
}

/** Reads a whole tree back from a store, by the store's own reader. */
export function readFiles(store: Store, root: OutRoot): Map<string, string> {
  const files = new Map<string, string>();
  for (const directory of walkTree(store.reader, root.digest)) {
    directory.names.forEach((name, i) => {
      if (directory.kinds[i] === TREE) return;
      const path = directory.path === '' ? name : `${directory.path}/${name}`;
      files.set(path, store.reader.read('blob', directory.digests, i * 32).toString('latin1'));
    });
  }
  return files;
}

/** What {@link readFiles} must give. */
export function flat(files: Files, path = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, content] of Object.entries(files)) {
    if (Buffer.isBuffer(content)) all.set(`${path}${name}`, content.toString('latin1'));
    else for (const [below, text] of flat(content, `${path}${name}/`)) all.set(below, text);
  }
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addDirectory(ingestor: Ingestor, files: Files): { raw: Buffer; files: number; bytes: number } {
  const names = sortUtf8(Object.keys(files));
  const kinds = new Uint8Array(names.length);
  const sizes = new Float64Array(names.length);
  const counts = new Float64Array(names.length);
  const digests = Buffer.alloc(names.length * 32);
  names.forEach((name, i) => {
    const content = files[name] ?? Buffer.alloc(0);
    const below = Buffer.isBuffer(content) ? undefined : addDirectory(ingestor, content);
    kinds[i] = below === undefined ? FILE : TREE;
    counts[i] = below?.files ?? 1;
    sizes[i] = below?.bytes ?? (Buffer.isBuffer(content) ? content.length : 0);
    (below?.raw ?? addBlob(ingestor, Buffer.isBuffer(content) ? content : Buffer.alloc(0))).copy(digests, i * 32);
  });
  const { top, parts, files: count, bytes } = encodeDirectory({ names, kinds, sizes, files: counts, digests });
  for (const part of parts) ingestor.addBytes('tree', part.bytes, part.raw, 0, true);
  ingestor.addBytes('tree', top.bytes, top.raw, 0);
  return { raw: top.raw, files: count, bytes };
}

function addBlob(ingestor: Ingestor, content: Buffer): Buffer {
  const raw = rawDigestOf(content);
  if (content.length < LOOSE_BYTES) ingestor.addBytes('blob', content, raw, 0);
  else {
    const arriving = ingestor.beginBlob(raw, 0);
    arriving?.write(content);
    arriving?.finish();
  }
  return raw;
}
