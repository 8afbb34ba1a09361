import { join } from 'node:path';
import { type RelPath, ROOT } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { exactPattern, extendRules, type IgnoreRules, isIgnored } from './ignore-rules.js';

/** The name of the file that says what is left out when an out or a directory dep is walked; it has the syntax of `.gitignore`. */
const IGNORE_FILE = '.sluiceignore';

/**
 * The rules for a walk of `path`: those of the `.sluiceignore` files from the workspace root down to `path` itself, each relative to its own
 * directory. The walked path is never left out, whatever the rules say about it or what holds it: somebody declared it.
 * `undefined` when there are no such files. The result takes paths below `path`. `read` gives the text of a file by its absolute path.
 */
export function loadIgnore(
  root: string,
  path: RelPath,
  read: (path: string) => string | undefined = readIfPresent,
): ((below: string, isDirectory: boolean) => boolean) | undefined {
  let rules: IgnoreRules | undefined;
  for (const dir of directoriesTo(path)) {
    const text = read(join(root, dir, IGNORE_FILE));
    if (text !== undefined) rules = extendRules(rules, dir, [text]);
  }
  if (rules === undefined) return undefined;
  const declared = directoriesTo(path)
    .slice(1)
    .map((dir) => `!${exactPattern(dir)}`);
  const all = extendRules(rules, ROOT, declared);
  return (below, isDirectory) => isIgnored(all, path === '' ? below : `${path}/${below}`, isDirectory);
}

/** The root, and every directory from it down to `path`. */
function directoriesTo(path: RelPath): string[] {
  const directories: string[] = [ROOT];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) directories.push(path.slice(0, end));
  return path === ROOT ? directories : [...directories, path];
}
