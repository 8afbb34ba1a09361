import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { isFileOfLiveOwner, listNames } from './lease.js';
import { newOwner } from './owner.js';
import type { Store } from './store.js';

/**
 * What one large transfer needs to know to go on after its process has died, as a file of the store:
 *
 *     transfers/down.<64 hex of the blob>.<owner>     its bytes, as far as they have come
 *     transfers/up.<64 hex of remote and key>.<owner> notes on the parts that are there
 *
 * The owner is the process that works on it. A file whose owner is dead may be taken over, by a rename, which succeeds for one of several
 * that try. Whoever gives up without dying puts random digits in the place of its name.
 */
export type TransferKind = 'down' | 'up';

/** A file of `transfers/`. */
export interface TransferFile {
  readonly path: string;
  readonly kind: TransferKind;
  /** 64 hex digits. */
  readonly id: string;
}

/** A transfer that this process works on. */
export interface Claim {
  readonly path: string;
  /** Whether the file was left by somebody else; otherwise there is none yet. */
  readonly isLeft: boolean;
  /** Leaves the file to whoever comes next. A file that is not there is no error. */
  release(): void;
  /** Deletes the file. */
  drop(): void;
}

/** What nobody has touched for so long is not taken over any more. */
export const STALE_TRANSFER_MS: number = 7 * 24 * 60 * 60 * 1000;

/** Takes over what a dead process has left of a transfer, or gives a name for a new one. Throws the system error. */
export function claimTransfer(store: Store, kind: TransferKind, id: string): Claim {
  const { files, layout } = store;
  files.mkdirSync(layout.transfers, { recursive: true });
  const path = join(layout.transfers, `${kind}.${id}.${newOwner(files).name}`);
  for (const left of abandonedTransfers(store)) {
    if (left.kind !== kind || left.id !== id || left.ageMs >= STALE_TRANSFER_MS) continue;
    if (moved(store, left.path, path)) return claim(store, kind, id, path, true);
  }
  return claim(store, kind, id, path, false);
}

/** What dead processes have left, with the time since they last did something. */
export function abandonedTransfers(store: Store): (TransferFile & { readonly ageMs: number })[] {
  const { files, layout } = store;
  return listNames(files, layout.transfers).flatMap((name) => {
    const [, kind, id = '', owner = ''] = /^(down|up)[.]([0-9a-f]{64})[.]([0-9a-f-]+)$/.exec(name) ?? [];
    const path = join(layout.transfers, name);
    if ((kind !== 'down' && kind !== 'up') || isFileOfLiveOwner(files, path, owner)) return [];
    const stat = files.statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ path, kind, id, ageMs: Date.now() - stat.mtimeMs }];
  });
}

function claim(store: Store, kind: TransferKind, id: string, path: string, isLeft: boolean): Claim {
  const { files, layout } = store;
  return {
    path,
    isLeft,
    release: () => void moved(store, path, join(layout.transfers, `${kind}.${id}.${randomBytes(8).toString('hex')}`)),
    drop: () => files.rmSync(path, { force: true }),
  };
}

/** Whether there was something to rename. */
function moved({ files }: Store, from: string, to: string): boolean {
  try {
    files.renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return false;
  }
}
