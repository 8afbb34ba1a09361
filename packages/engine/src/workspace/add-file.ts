import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SluiceError } from '../errors.js';
import { realFiles } from '../store/files.js';
import { hashFile } from '../store/loose.js';
import type { UnpackOptions, UnpackReport } from './archive/unpack.js';
import { movesDir } from './workspace.js';

/**
 * Copies a file to a path that is not there yet; it appears at once with all its bytes. If the same bytes are there, nothing is done. Throws `ERR_USAGE` for a
 * source that is no file, and `ERR_OUT_MODIFIED` if something else is there.
 */
export async function addFile({
  from,
  root,
  path,
  dryRun,
}: Pick<UnpackOptions, 'from' | 'root' | 'path' | 'dryRun'>): Promise<UnpackReport> {
  const target = join(root, path);
  const source = lstatSync(from, { throwIfNoEntry: false });
  if (source?.isFile() !== true) {
    throw new SluiceError('ERR_USAGE', `there is no file ${from}`, {
      hint: 'Name a file that is there; a directory can be moved to its place by hand.',
    });
  }
  const report = { files: 1, bytes: source.size };
  const present = lstatSync(target, { throwIfNoEntry: false });
  if (present !== undefined) {
    const isSame = present.isFile() && present.size === source.size;
    if (isSame && hashFile(realFiles, target).equals(hashFile(realFiles, from))) return { ...report, written: false };
    throw new SluiceError('ERR_OUT_MODIFIED', `${path} is there already, and is not the same file`, {
      hint: 'Move it away, or choose another path.',
    });
  }
  if (dryRun === true) return { ...report, written: true };
  const staging = mkdtempSync(join(movesDir(root, path), 'add-'));
  try {
    copyFileSync(from, join(staging, 'content'));
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(staging, 'content'), target);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return { ...report, written: true };
}
