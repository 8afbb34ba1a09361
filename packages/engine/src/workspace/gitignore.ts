import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWithin, joinRelPath, type RelPath, ROOT } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { exactPattern, extendRules, type IgnoreRules, isIgnored } from './ignore-rules.js';

/**
 * Makes git ignore an out: adds `/path` to the `.gitignore` of the project, or of the workspace root for an out outside the project,
 * unless a rule ignores it already. Returns the file that was changed. Several processes may do this at once.
 */
export function ensureIgnored(root: string, projectRoot: RelPath, out: RelPath): RelPath | undefined {
  if (ignoredAlready(root, out)) return undefined;
  const dir = isWithin(out, projectRoot) ? projectRoot : ROOT;
  const file = joinRelPath(dir, '.gitignore');
  const text = readIfPresent(join(root, file)) ?? '';
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const line = exactPattern(dir === '' ? out : out.slice(dir.length + 1));
  // One short append keeps the lines that other processes add at the same time; replacing the file would lose them.
  appendFileSync(join(root, file), `${text === '' || text.endsWith('\n') ? '' : newline}${line}${newline}`);
  return file;
}

/** Whether git ignores the path, be it a file or a directory. Rules outside the workspace are not looked at: an own rule does no harm. */
function ignoredAlready(root: string, out: RelPath): boolean {
  let rules: IgnoreRules | undefined;
  let dir = ROOT;
  for (const segment of out.split('/')) {
    const text = readIfPresent(join(root, dir, '.gitignore'));
    if (text !== undefined) rules = extendRules(rules, dir, [text]);
    dir = joinRelPath(dir, segment);
  }
  return isIgnored(rules, out, false) && isIgnored(rules, out, true);
}
