import type { Store } from '../store/store.js';
import { notePath, quietly, readNote, writeNote } from './note-files.js';

/*
 * Whether a remote refuses to replace what is there, when it is told so, as a file: `docs/format.md`, "Write-once note". It is found out by writing, so
 * it is remembered; a note that is lost or unreadable is found out again.
 */

const KIND = 'once';
const YES = '1\n';
const NO = '0\n';

/** What was found out about a remote before; `undefined` if nothing was. */
export function readWriteOnce(store: Store, description: string): boolean | undefined {
  const text = readNote(store, notePath(store, KIND, description))?.toString('latin1');
  return text === YES ? true : text === NO ? false : undefined;
}

/** Remembers what was found out. A disk that cannot keep it costs the next push a question. */
export function noteWriteOnce(store: Store, description: string, supported: boolean): void {
  quietly(() => {
    store.files.mkdirSync(store.layout.index, { recursive: true });
    writeNote(store, notePath(store, KIND, description), 'w', Buffer.from(supported ? YES : NO));
  });
}
