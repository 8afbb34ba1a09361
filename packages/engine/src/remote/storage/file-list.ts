import fs from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, throwIfAborted } from '../../errors.js';
import { type ListedObject, type StorageKey, tryParseStorageKey } from './port.js';

/** Runs a call that reads the directory, so that its errors get their meaning; `undefined` for what is not there. */
interface Looker {
  look<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T | undefined>;
  /** Throws if the directory is not the one that was seen before. */
  expectMarker(): Promise<void>;
}

/** The objects of a directory, sorted by key. Files that no key can name are not ours and are left out, as is `skipped` at the top. */
export async function* listDirectory(
  looker: Looker,
  base: string,
  prefix: StorageKey | '',
  skipped: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  await looker.expectMarker();
  const top = await looker.look(signal, () => fs.stat(join(base, prefix)));
  if (top === undefined) return;
  if (top.isFile()) {
    if (prefix !== '') yield { key: prefix, bytes: top.size, modifiedMs: top.mtimeMs };
    return;
  }
  yield* below(prefix);

  async function* below(parent: StorageKey | ''): AsyncGenerator<ListedObject> {
    throwIfAborted(signal);
    const entries = (await looker.look(signal, () => fs.readdir(join(base, parent), { withFileTypes: true }))) ?? [];
    // The order of whole keys: a directory sorts as if its name ended with a slash.
    const sortKeys = new Map(entries.map((entry) => [entry, entry.isDirectory() ? `${entry.name}/` : entry.name]));
    entries.sort((a, b) => ((sortKeys.get(a) ?? '') < (sortKeys.get(b) ?? '') ? -1 : 1));
    for (const entry of entries) {
      if (parent === '' && entry.name === skipped) continue;
      const key = tryParseStorageKey(parent === '' ? entry.name : `${parent}/${entry.name}`);
      if (key === undefined) continue;
      if (entry.isDirectory()) yield* below(key);
      else if (entry.isFile()) {
        const listed = await listFile(key);
        if (listed !== undefined) yield listed;
      }
    }
  }

  async function listFile(key: StorageKey): Promise<ListedObject | undefined> {
    return looker.look(signal, async () => {
      try {
        const stat = await fs.stat(join(base, key));
        return { key, bytes: stat.size, modifiedMs: stat.mtimeMs };
      } catch (error) {
        // Deleted since its directory was listed.
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }
}
