import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { Store } from '../store/store.js';
import { writeWhole } from '../util/whole-io.js';

/*
 * What a store notes of a remote, in a file for each kind of note. Notes only save time: one that is lost, damaged or cannot be written is as good as
 * none, and nobody is told.
 */

/** Where the note of a kind on a remote lies: `index/<kind>-<16 hex digits of the SHA-256 of the remote's description>`. */
export function notePath(store: Store, kind: string, description: string): string {
  const hash = createHash('sha256').update(description).digest('hex').slice(0, 16);
  return join(store.layout.index, `${kind}-${hash}`);
}

/** The bytes of a note, or `undefined` if it cannot be read. */
export function readNote(store: Store, path: string): Buffer | undefined {
  return quietly(() => store.files.readFileSync(path));
}

/** Replaces a note (`w`), adds to it (`a`), or makes it where none may be (`wx`). Throws the system error. */
export function writeNote(store: Store, path: string, flags: 'a' | 'w' | 'wx', bytes: Uint8Array): void {
  const fd = store.files.openSync(path, flags);
  try {
    writeWhole(store.files, fd, bytes);
  } finally {
    store.files.closeSync(fd);
  }
}

/** Does what only saves time: a disk that is full or read-only makes the next push slower, and this one goes on. Throws what is no failure of the system. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
