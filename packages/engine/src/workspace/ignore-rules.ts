import { createRequire } from 'node:module';
import type { Ignore } from 'ignore';

/** The rules of ignore files that apply in a directory: its own and those of all directories above it. */
export type IgnoreRules = { readonly matcher: Ignore };

/**
 * Adds the texts of ignore files that lie in `dir` to the rules from above; of two rules that fit, the later one counts.
 * All rules go into one list with paths from the workspace root, so that a `!` in a lower file takes back what a higher one ignores, as in git.
 */
export function extendRules(inherited: IgnoreRules | undefined, dir: string, texts: readonly string[]): IgnoreRules {
  const matcher = loadIgnore()({ ignorecase: false });
  if (inherited !== undefined) matcher.add(inherited.matcher);
  for (const text of texts) matcher.add(text.split(/\r?\n/).flatMap((line) => rebase(line, dir)));
  return { matcher };
}

/** Whether a path below the workspace root is ignored, by itself or with a directory that holds it. */
export function isIgnored(rules: IgnoreRules | undefined, path: string, isDirectory: boolean): boolean {
  return rules?.matcher.ignores(isDirectory ? `${path}/` : path) ?? false;
}

/** The pattern that fits one path only, seen from the directory of the ignore file. */
export function exactPattern(path: string): string {
  const escaped = path
    .replaceAll(/[\\*?[\]]/g, '\\$&')
    // A line cannot hold its own end, so any character may stand there.
    .replaceAll(/[\r\n]/g, '?')
    .replaceAll(/ (?= *$)/g, '\\ ');
  return `/${escaped}`;
}

/** A line of an ignore file in `dir` as the workspace root would have to say it. */
function rebase(line: string, dir: string): string[] {
  if (dir === '' || line.trim() === '' || line.startsWith('#')) return [line];
  const [, negation = '', pattern = ''] = /^(!?)(.*)$/s.exec(line) ?? [];
  const isAnchored = /\/(?!\s*$)/.test(pattern);
  return [`${negation}${exactPattern(dir)}/${isAnchored ? pattern.replace(/^\//, '') : `**/${pattern}`}`];
}

/** Loaded on first use: a workspace without ignore files does not pay for it. */
function loadIgnore(): typeof import('ignore') {
  return createRequire(import.meta.url)('ignore');
}
