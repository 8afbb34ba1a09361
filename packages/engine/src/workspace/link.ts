/**
 * Why a symbolic link at `path` (relative to the root of its out) may not be kept or made, or `undefined` if it may. Only a relative target with its
 * `..` in front is allowed, and it has to end inside the out: what comes after a name could lead through another link.
 */
export function linkProblem(path: string, target: Buffer): string | undefined {
  const text = target.toString('utf8');
  if (!Buffer.from(text).equals(target)) return 'is a link to a name that is not UTF-8';
  if (text === '' || text.includes('\0')) return 'is a link to nothing';
  if (text.startsWith('/')) return `is a link to the absolute path ${JSON.stringify(text)}`;
  let depth = path.split('/').length - 1;
  let named = false;
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') named = true;
    else if (named || --depth < 0) return `is a link that leaves its out: ${JSON.stringify(text)}`;
  }
  return undefined;
}
