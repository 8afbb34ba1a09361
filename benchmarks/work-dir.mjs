// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './measure.mjs';

/**
 * A folder for the workspaces and copies of one set.
 *
 * ext4 does not give out an inode again for some minutes after it was freed, and looks at each such inode of a block group whenever a file is made
 * there. Making 70,000 files where 70,000 were deleted just now takes ten times as long. So nothing large is deleted while a set is being measured
 * ({@link WorkDir.retire}), and new folders are spread over the disk ({@link spread}), away from what was deleted before.
 *
 * @typedef {object} WorkDir
 * @property {string} path
 * @property {() => string} fresh a path that does not exist
 * @property {(path: string) => void} retire takes a file or folder away; a folder is kept elsewhere until the end
 */

/** Part of e2fsprogs; nothing is spread where it is missing. */
const CHATTR = 'chattr';

/** A folder for one run of the bench. */
export function makeWorkRoot() {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'sluice-bench-'));
  spread(path);
  return path;
}

/** @param {string} root @param {string} name @param {boolean} hasManyFiles @returns {WorkDir} */
export function makeWorkDir(root, name, hasManyFiles) {
  const path = mkdtempSync(join(root, `${name}-`));
  spread(path);
  const retired = join(path, 'retired');
  mkdirSync(retired);
  let count = 0;
  return {
    path,
    fresh: () => join(path, `fresh-${count++}`),
    retire: (old) => {
      if (hasManyFiles) moveIfPresent(old, join(retired, String(count++)));
      else rmSync(old, { recursive: true, force: true });
    },
  };
}

/** Deletes a folder with very many files. @param {string} path */
export async function removeTree(path) {
  await run('rm', ['-rf', path]);
}

/** The same, while the process ends. @param {string} path */
export function removeTreeNow(path) {
  spawnSync('rm', ['-rf', path]);
}

/** Marks a folder as the top of unrelated hierarchies, which ext4 then spreads over its block groups. Elsewhere nothing happens. @param {string} path */
export function spread(path) {
  spawnSync(CHATTR, ['+T', path]);
}

/** @param {string} from @param {string} to */
function moveIfPresent(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
