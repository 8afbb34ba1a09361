import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { digestOf, hexOf } from '../model/digest.js';
import { LOCK_FILE, type Lock, type LockedStage, parseLock, printLock } from '../model/lock.js';
import { joinRelPath, type RelPath } from '../model/path.js';
import { writeFileDurably } from '../store/durable.js';
import type { Workspace } from '../workspace/workspace.js';

/** Path of a project's lock, relative to the workspace root. */
export function lockPath(projectRoot: RelPath): RelPath {
  return joinRelPath(projectRoot, LOCK_FILE);
}

/** Reads a project's lock; an absent one is empty. Throws like `parseLock`. */
export function readLockFile(root: string, projectRoot: RelPath): Lock {
  const path = lockPath(projectRoot);
  try {
    return parseLock(readFileSync(join(root, path), 'utf8'), path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { stages: new Map() };
    throw error;
  }
}

/** Reads locks like {@link readLockFile}, each again only when it was replaced: a lock is never changed in place by us, and times tell for others. */
export function createLockReader(root: string): (projectRoot: RelPath) => Lock {
  const known = new Map<RelPath, { readonly stamp: string; readonly lock: Lock }>();
  return (projectRoot) => {
    const stat = statSync(join(root, lockPath(projectRoot)), { throwIfNoEntry: false, bigint: true });
    const stamp = stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    const before = known.get(projectRoot);
    if (before?.stamp === stamp) return before.lock;
    const lock = readLockFile(root, projectRoot);
    known.set(projectRoot, { stamp, lock });
    return lock;
  };
}

/**
 * Puts the result of one stage into its project's lock and drops entries of targets that are no stages any more. Read, merged and renamed under the
 * lock file's own lease, so two stages that finish together both end up in it. Nothing is written if nothing changed. Throws like `parseLock`:
 * a lock that cannot be read is never overwritten.
 */
export async function updateLockFile(
  workspace: Workspace,
  projectRoot: RelPath,
  target: string,
  entry: LockedStage,
  isStage: (target: string) => boolean,
): Promise<void> {
  await withLockFile(workspace, projectRoot, (write) => {
    const before = readLockFile(workspace.root, projectRoot);
    const stages = new Map([...before.stages].filter(([name]) => isStage(name)));
    stages.set(target, entry);
    const text = printLock({ stages });
    if (text !== printLock(before)) write(text);
  });
}

/** Does what changes a project's lock while nobody else does; `write` replaces the file at once. */
export async function withLockFile<T>(
  { root, store }: Workspace,
  projectRoot: RelPath,
  change: (write: (text: string) => void) => T | Promise<T>,
): Promise<T> {
  const path = lockPath(projectRoot);
  const absolute = join(root, path);
  const lease = `lock-${hexOf(digestOf(absolute)).slice(0, 32)}`;
  const held = await store.acquire(lease, { wait: true, what: path });
  try {
    return await change((text) => {
      writeFileDurably(store.files, store.durability, absolute, `${absolute}.${process.pid}.tmp`, text);
    });
  } finally {
    held.release();
  }
}
