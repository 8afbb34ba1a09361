import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestFromRaw, hexOf, shortDigest } from '../model/digest.js';
import type { Files } from './files.js';
import { type Layout, looseName, type ObjectKind } from './layout.js';

/**
 * The modification time that every loose object has, in seconds: 2000-01-01T00:00:00Z. Writing into an object, through a hard link or a mapping, moves
 * it; so one look at size and time tells that the bytes are still those that were checked when the object was made.
 * (Not 0: some archive formats begin in 1980.)
 */
export const SEAL_SECONDS = 946_684_800;

const CHUNK_BYTES = 1024 * 1024;

/** Whether nobody wrote into a loose object since it was checked. */
export function isSealed(place: { readonly mtimeMs: number }): boolean {
  return place.mtimeMs === SEAL_SECONDS * 1000;
}

/** Marks an open file as a finished object: read-only, with the time of the seal. */
export function seal(files: Files, fd: number): void {
  files.fchmodSync(fd, 0o444);
  files.futimesSync(fd, SEAL_SECONDS, SEAL_SECONDS);
}

/** The SHA-256 of a file's bytes, read a MiB at a time. */
export function hashFile(files: Files, path: string, buffer: Buffer = Buffer.allocUnsafe(CHUNK_BYTES)): Buffer {
  const hash = createHash('sha256');
  const fd = files.openSync(path, 'r');
  try {
    for (;;) {
      const read = files.readSync(fd, buffer, 0, buffer.length, null);
      if (read === 0) return hash.digest();
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    files.closeSync(fd);
  }
}

/**
 * Makes sure that a loose object may be served: a sealed one at once, another one after reading it. Sound bytes get the seal back,
 * damaged ones are set aside, where the store can be written. Returns whether the object can be served.
 */
export function checkLoose(
  files: Files,
  layout: Layout,
  kind: ObjectKind,
  raw: Buffer,
  place: { readonly path: string; readonly mtimeMs: number },
): boolean {
  if (isSealed(place)) return true;
  if (hashFile(files, place.path).equals(raw)) {
    ifWritable(() => reseal(files, place.path));
    return true;
  }
  ifWritable(() => setLooseAside(files, layout, kind, raw));
  return false;
}

/** Repairs what a reader meets on its way. It may not be allowed to: then whoever reads next meets it again. */
export function ifWritable(repair: () => void): void {
  try {
    repair();
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** Moves a damaged loose object to `damaged/`, where it is never served; a file that is already gone is no error. */
export function setLooseAside(files: Files, layout: Layout, kind: ObjectKind, raw: Buffer): void {
  const hex = hexOf(digestFromRaw(raw));
  files.mkdirSync(layout.damaged, { recursive: true });
  try {
    files.renameSync(join(layout.objects, looseName(kind, hex)), join(layout.damaged, `${hex}.${kind}`));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** The error for an object that is damaged in every place where it lies. */
export function damagedError(kind: ObjectKind, raw: Buffer): SluiceError {
  const digest = digestFromRaw(raw);
  return new SluiceError(
    'ERR_OBJECT_DAMAGED',
    `${kind} ${shortDigest(digest)} is damaged in the store; it was set aside`,
    {
      hint: 'Run `sluice verify --repair` to fetch it again from a remote, or run the stage again.',
      details: { digest },
    },
  );
}

/** The error for an object that is nowhere in the store. */
export function missingError(kind: ObjectKind, raw: Buffer): SluiceError {
  const digest = digestFromRaw(raw);
  return new SluiceError('ERR_OBJECT_MISSING', `${kind} ${shortDigest(digest)} is not in the store`, {
    hint: 'Run `sluice fetch` to get it from a remote, or run the stage again.',
    details: { digest },
  });
}

/** Gives a loose object whose bytes were just checked its mode and its seal back. */
export function reseal(files: Files, path: string): void {
  const fd = files.openSync(path, 'r');
  try {
    seal(files, fd);
  } finally {
    files.closeSync(fd);
  }
}
