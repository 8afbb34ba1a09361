import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { Store } from '../store/store.js';
import { writeWhole } from '../util/whole-io.js';

/*
 * Whether a remote refuses to replace what is there, when it is told so, as a file: `docs/format.md`, "Write-once note". It is found out by writing, so
 * it is remembered; a note that is lost or unreadable is found out again.
 */

const YES = '1\n';
const NO = '0\n';

/** What was found out about a remote before; `undefined` if nothing was. */
export function readWriteOnce(store: Store, description: string): boolean | undefined {
  try {
    const text = store.files.readFileSync(notePath(store, description)).toString('latin1');
    return text === YES ? true : text === NO ? false : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Remembers what was found out. A disk that cannot keep it costs the next push a question. */
export function noteWriteOnce(store: Store, description: string, supported: boolean): void {
  try {
    store.files.mkdirSync(store.layout.index, { recursive: true });
    const fd = store.files.openSync(notePath(store, description), 'w');
    try {
      writeWhole(store.files, fd, Buffer.from(supported ? YES : NO));
    } finally {
      store.files.closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function notePath(store: Store, description: string): string {
  return join(store.layout.index, `once-${createHash('sha256').update(description).digest('hex').slice(0, 16)}`);
}
