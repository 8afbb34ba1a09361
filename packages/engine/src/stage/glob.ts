import { createRequire } from 'node:module';
import { isWithin, type RelPath } from '../model/path.js';
import type { Dep } from './stage.js';

/** A dep that is a pattern. */
export type GlobDep = Extract<Dep, { kind: 'glob' }>;

/** Matches whole paths relative to the workspace root. Names that begin with a dot are ordinary. */
export function globMatcher(pattern: string): (path: string) => boolean {
  // A name may hold a newline.
  return loadPicomatch()(pattern, { dot: true, nonegate: true, windows: false, flags: 's' });
}

/**
 * Whether a pattern may match `out` or something inside it. Without knowing what lies there this is decided name by name:
 * every name of the out must fit the name at its place in the pattern, and `**` fits all that follows.
 */
export function globReaches(glob: GlobDep, out: RelPath): boolean {
  if (isWithin(glob.base, out)) return true;
  if (!isWithin(out, glob.base)) return false;
  const depth = glob.base === '' ? 0 : glob.base.split('/').length;
  const wanted = glob.pattern.split('/').slice(depth);
  // A slash inside braces or brackets: the pattern cannot be cut into names, so it counts as one that fits.
  if (wanted.some((name) => /[{([]/.test(name) && !/[})\]]/.test(name))) return true;
  for (const name of out.split('/').slice(depth)) {
    const pattern = wanted.shift();
    if (pattern === undefined) return false;
    if (pattern.includes('**')) return true;
    if (!globMatcher(pattern)(name)) return false;
  }
  return true;
}

/** Loaded on first use: most workspaces have no globs, and start-up should not pay for it. */
function loadPicomatch(): typeof import('picomatch') {
  return createRequire(import.meta.url)('picomatch');
}
