import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file so that readers see its old or its new bytes, never a part: a temporary name beside it, then a rename.
 * Keeps the mode of an existing file and follows a symbolic link. Throws the system error and leaves nothing behind.
 * It is not synced to the disk: for files that git or a next run can give back.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  const target = fs.existsSync(path) ? fs.realpathSync(path) : path;
  const mode = fs.statSync(target, { throwIfNoEntry: false })?.mode ?? 0o644;
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    fs.writeFileSync(temporary, content, { flag: 'wx', mode: mode & 0o777 });
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
