import { createRequire } from 'node:module';
import { isWithin, type RelPath } from '../model/path.js';

/** The rules of the ignore files of one directory; they speak about what lies below it. */
export interface IgnoreRules {
  readonly dir: RelPath;
  /** `true`: ignored, `false`: taken back by a `!` rule, `undefined`: no rule. The path is relative to `dir`, of a directory with a final slash. */
  readonly test: (path: string) => boolean | undefined;
}

/** The rules in the texts of ignore files of one directory; of two rules that fit, the later one counts. */
export function parseIgnoreRules(dir: RelPath, texts: readonly string[]): IgnoreRules {
  const matcher = loadIgnore()({ ignorecase: false });
  for (const text of texts) matcher.add(text);
  const test = (path: string): boolean | undefined => {
    const result = matcher.test(path);
    return result.ignored ? true : result.unignored ? false : undefined;
  };
  return { dir, test };
}

/**
 * Whether `path` is ignored by the rules of the directories above it, outermost first: the innermost rule that fits counts, as in git.
 * That nothing inside an ignored directory can be taken back is up to the caller, who does not go into such a directory.
 */
export function isIgnored(rules: readonly IgnoreRules[], path: RelPath, isDirectory: boolean): boolean {
  for (let at = rules.length - 1; at >= 0; at--) {
    const level = rules[at];
    if (level === undefined || path === level.dir || !isWithin(path, level.dir)) continue;
    const below = level.dir === '' ? path : path.slice(level.dir.length + 1);
    const verdict = level.test(isDirectory ? `${below}/` : below);
    if (verdict !== undefined) return verdict;
  }
  return false;
}

/** Loaded on first use: a workspace without ignore files does not pay for it. */
function loadIgnore(): typeof import('ignore') {
  return createRequire(import.meta.url)('ignore');
}
