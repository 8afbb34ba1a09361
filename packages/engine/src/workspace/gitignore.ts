import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWithin, joinRelPath, type RelPath, ROOT } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { exactPattern, extendRules, type IgnoreRules, isIgnored } from './ignore-rules.js';

/** A line that a `.gitignore` lacks. */
interface IgnoreLine {
  /** The file, relative to the workspace root. */
  readonly file: RelPath;
  readonly line: string;
}

/** Reads a file by its path relative to the workspace root; `undefined` when there is none. */
type Read = (path: string) => string | undefined;

/**
 * Makes git ignore an out: adds `/path` to the `.gitignore` of the project, or of the workspace root for an out outside the project,
 * unless a rule ignores it already. Returns the file that was changed. Several processes may do this at once.
 */
export function ensureIgnored(root: string, projectRoot: RelPath, out: RelPath): RelPath | undefined {
  const read: Read = (path) => readIfPresent(join(root, path));
  const missing = missingIgnoreLine(read, projectRoot, out);
  if (missing === undefined) return undefined;
  const { file, line } = missing;
  const text = read(file) ?? '';
  // One short append keeps the lines that other processes add at the same time; replacing the file would lose them.
  appendFileSync(join(root, file), withLines(text, [line]).slice(text.length));
  return file;
}

/** The line that {@link ensureIgnored} would add; `undefined` for an out that a rule ignores already. */
export function missingIgnoreLine(read: Read, projectRoot: RelPath, out: RelPath): IgnoreLine | undefined {
  if (ignoredAlready(read, out)) return undefined;
  const dir = isWithin(out, projectRoot) ? projectRoot : ROOT;
  return {
    file: joinRelPath(dir, '.gitignore'),
    line: exactPattern(dir === '' ? out : out.slice(dir.length + 1)),
  };
}

/** A text with lines added at its end, in its own kind of line ends. */
export function withLines(text: string, lines: readonly string[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const begin = text === '' || text.endsWith('\n') ? '' : newline;
  return `${text}${begin}${lines.map((line) => `${line}${newline}`).join('')}`;
}

/** Whether git ignores the path, be it a file or a directory. Rules outside the workspace are not looked at: an own rule does no harm. */
function ignoredAlready(read: Read, out: RelPath): boolean {
  let rules: IgnoreRules | undefined;
  let dir = ROOT;
  for (const segment of out.split('/')) {
    const text = read(joinRelPath(dir, '.gitignore'));
    if (text !== undefined) rules = extendRules(rules, dir, [text]);
    dir = joinRelPath(dir, segment);
  }
  return isIgnored(rules, out, false) && isIgnored(rules, out, true);
}
