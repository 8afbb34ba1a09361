import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawDigestOf } from '../model/digest.js';
import { EXECUTABLE, FILE, LINK } from '../model/tree.js';
import { realFiles } from '../store/files.js';
import { isAlive, newOwner, parseOwner } from '../store/owner.js';
import { hashPending, pendingOf } from './hash-snapshot.js';
import { type PlaceContext, placeFiles, snapshotPath } from './place.js';
import { allFiles, type Change, filterSnapshot } from './plan-placement.js';
import { entryPath, type Snapshot } from './snapshot.js';

/** Files that were made, and that were there already with the right bytes. */
export interface ExportCount {
  readonly written: number;
  readonly unchanged: number;
  readonly bytes: number;
}

/** Files get their names in groups of this size, so that an interrupted export has little to do again. */
const GROUP_FILES = 2000;
const STAGING = '.sluice-export-';

/**
 * Makes plain files below a directory outside of the store: those of a snapshot. Files with the right bytes stay, so an export that was interrupted goes on; each file appears with all
 * its bytes. Without `force` nothing that is there is replaced: throws `ERR_EXPORT_EXISTS`, before anything is written. Throws what placing files throws.
 */
export async function exportFiles(
  to: string,
  wanted: Snapshot,
  context: PlaceContext,
  force: boolean,
): Promise<ExportCount> {
  const files = allFiles(wanted);
  const same = await sameFiles(to, wanted, context);
  const put = files.filter((file) => !same.has(snapshotPath(file)));
  const taken = put.map(snapshotPath).find((path) => lstatSync(join(to, path), { throwIfNoEntry: false }));
  if (taken !== undefined && !force) {
    throw new SluiceError('ERR_EXPORT_EXISTS', `${join(to, taken)} is there already, with other bytes`, {
      hint: 'Choose another directory, or replace what is there with --force.',
    });
  }
  mkdirSync(to, { recursive: true });
  removeLeftovers(to);
  for (const { path } of wanted.directories) mkdirSync(join(to, path), { recursive: true });
  const staging = join(to, `${STAGING}${newOwner(realFiles).name}`);
  try {
    for (let from = 0; from < put.length; from += GROUP_FILES) {
      const group = put.slice(from, from + GROUP_FILES);
      mkdirSync(staging);
      const numbers = new Map(group.map((file, n) => [file, n]));
      await placeFiles(staging, group, (file) => String(numbers.get(file)), context);
      for (const [file, n] of numbers) renameSync(join(staging, String(n)), join(to, snapshotPath(file)));
      rmSync(staging, { recursive: true });
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  for (const file of files) if (same.has(snapshotPath(file))) correctMode(join(to, snapshotPath(file)), file);
  return { written: put.length, unchanged: same.size, bytes: put.reduce((sum, file) => sum + sizeOf(file), 0) };
}

/** The paths of files that are there with the wanted bytes. Only what has the right size is read. */
async function sameFiles(to: string, wanted: Snapshot, context: PlaceContext): Promise<ReadonlySet<string>> {
  const same = new Set<string>();
  const candidates = new Map<string, Change>();
  for (const file of allFiles(wanted)) {
    const path = snapshotPath(file);
    const stat = lstatSync(join(to, path), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (file.directory.kinds[file.entry] === LINK) {
      if (stat.isSymbolicLink() && hasDigest(file, rawDigestOf(readlinkSync(join(to, path), 'buffer')))) same.add(path);
    } else if (stat.isFile() && stat.size === sizeOf(file)) candidates.set(path, file);
  }
  const seen = filterSnapshot({ ...wanted, shape: 'directory' }, (path) => candidates.has(path));
  for (const { directory, entry } of allFiles(seen)) {
    directory.flags[entry] = 0;
    directory.kinds[entry] = isExecutable(join(to, entryPath(directory, entry))) ? EXECUTABLE : FILE;
  }
  const pending = pendingOf(seen);
  await hashPending(to, 'directory', pending, false, context);
  for (const { directory, entry } of pending) {
    const path = entryPath(directory, entry);
    const file = candidates.get(path);
    const at = entry * RAW_DIGEST_BYTES;
    if (file !== undefined && hasDigest(file, directory.digests.subarray(at, at + RAW_DIGEST_BYTES))) same.add(path);
  }
  return same;
}

function hasDigest({ directory, entry }: Change, raw: Uint8Array): boolean {
  const at = entry * RAW_DIGEST_BYTES;
  return directory.digests.subarray(at, at + RAW_DIGEST_BYTES).equals(raw);
}

function sizeOf({ directory, entry }: Change): number {
  return directory.sizes[entry] ?? 0;
}

function correctMode(path: string, { directory, entry }: Change): void {
  const kind = directory.kinds[entry];
  if (kind === LINK || isExecutable(path) === (kind === EXECUTABLE)) return;
  const { mode } = statSync(path);
  chmodSync(path, kind === EXECUTABLE ? mode | 0o100 : mode & ~0o111);
}

function isExecutable(path: string): boolean {
  return (statSync(path).mode & 0o100) !== 0;
}

/** What exports that died left behind. */
function removeLeftovers(to: string): void {
  for (const name of existsSync(to) ? readdirSync(to) : []) {
    if (!name.startsWith(STAGING)) continue;
    const owner = parseOwner(name.slice(STAGING.length));
    const ageMs = Date.now() - (statSync(join(to, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (owner === undefined || !isAlive(realFiles, owner, ageMs))
      rmSync(join(to, name), { recursive: true, force: true });
  }
}
