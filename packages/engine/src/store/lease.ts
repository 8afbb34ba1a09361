import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { writeWhole } from '../util/whole-io.js';
import type { Files } from './files.js';
import type { Layout } from './layout.js';
import { HEARTBEAT_MS, isAlive, newOwner, type Owner, parseOwner } from './owner.js';

/**
 * What a running writer relies on. Digests are appended *before* the writer asks whether they exist, so that a collection either sees
 * them here or has already removed them when the writer looks.
 */
export interface Lease {
  readonly owner: Owner;
  readonly path: string;
  /** The writer's own directory below `tmp/`. */
  readonly tmpDir: string;
  /** Appends raw digests, 32 bytes each. */
  append(raw: Buffer): void;
  /** Ends the lease and deletes what is left in its directory. Safe to call twice; does not fail, so that it hides no failure. */
  release(): void;
}

/** Creates a lease and its temporary directory. */
export function openLease(files: Files, layout: Layout): Lease {
  const owner = newOwner(files);
  const path = join(layout.leases, owner.name);
  const tmpDir = join(layout.tmp, owner.name);
  files.mkdirSync(layout.leases, { recursive: true });
  const fd = files.openSync(path, 'ax');
  const timer = setInterval(() => touch(files, path), HEARTBEAT_MS);
  timer.unref();
  let open = true;
  const release = (): void => {
    if (!open) return;
    open = false;
    clearInterval(timer);
    files.closeSync(fd);
    for (const left of [tmpDir, path]) remove(files, left);
  };
  try {
    files.mkdirSync(tmpDir, { recursive: true });
  } catch (error) {
    release();
    throw error;
  }
  return { owner, path, tmpDir, append: (raw) => writeWhole(files, fd, raw), release };
}

/** The digests of all live leases, one buffer per lease. Leases of dead owners, and their temporary files, are deleted on the way. */
export function readLeases(files: Files, layout: Layout): Buffer[] {
  const found: Buffer[] = [];
  for (const name of listNames(files, layout.leases)) {
    const path = join(layout.leases, name);
    if (!isFileOfLiveOwner(files, path, name)) {
      files.rmSync(join(layout.tmp, name), { recursive: true, force: true });
      files.rmSync(path, { force: true });
      continue;
    }
    try {
      const bytes = files.readFileSync(path);
      found.push(bytes.subarray(0, bytes.length - (bytes.length % RAW_DIGEST_BYTES)));
    } catch (error) {
      // Released between listing and reading: what it named has its reference by now.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

/** Deletes temporary directories that no live lease owns. Returns how many. */
export function removeLeftovers(files: Files, layout: Layout): number {
  let removed = 0;
  for (const name of listNames(files, layout.tmp)) {
    const lease = join(layout.leases, name);
    if (files.statSync(lease, { throwIfNoEntry: false }) !== undefined && isFileOfLiveOwner(files, lease, name))
      continue;
    const owner = parseOwner(name);
    // The lease is made before the directory, so a directory without a lease belongs to nobody.
    if (owner !== undefined && files.statSync(lease, { throwIfNoEntry: false }) !== undefined) {
      files.rmSync(lease, { force: true });
    }
    files.rmSync(join(layout.tmp, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** Whether the file named after an owner exists and its owner may still run. Its age is taken from the clock of this machine. */
export function isFileOfLiveOwner(files: Files, path: string, name: string): boolean {
  const owner = parseOwner(name);
  if (owner === undefined) return false;
  const stat = files.statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && isAlive(files, owner, Date.now() - stat.mtimeMs);
}

/** Names in a directory; none if it does not exist. */
export function listNames(files: Files, dir: string): string[] {
  try {
    return files.readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function remove(files: Files, path: string): void {
  try {
    files.rmSync(path, { recursive: true, force: true });
  } catch {
    // A collection deletes it when this process has ended.
  }
}

function touch(files: Files, path: string): void {
  const now = new Date();
  try {
    files.utimesSync(path, now, now);
  } catch {
    // The store was removed under us; the next write says so.
  }
}
