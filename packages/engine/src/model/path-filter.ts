import { compareUtf8 } from './path.js';

/** Says which files of an out are wanted, by their paths below it. */
export interface PathFilter {
  (path: string): boolean;
  /** Every wanted file is one of these or lies below one of them (`''`: the out itself); absent where nothing is known. */
  readonly within?: readonly string[];
}

/** A filter that is known to want nothing outside of `within`. */
export function pathFilter(matches: (path: string) => boolean, within: readonly string[]): PathFilter {
  return Object.assign((path: string) => matches(path), { within });
}

/** A file, or everything below a directory. */
export function filterBelow(base: string): PathFilter {
  return pathFilter((path) => base === '' || path === base || path.startsWith(`${base}/`), [base]);
}

/** Wants the nodes that a filter needs, and no file. */
export function noFiles(filter?: PathFilter): PathFilter {
  return Object.assign(() => false, filter?.within === undefined ? {} : { within: filter.within });
}

/** What any of the filters wants. */
export function anyFilter(filters: readonly PathFilter[]): PathFilter {
  const matches = (path: string): boolean => filters.some((filter) => filter(path));
  const known = filters.flatMap(({ within }) => (within === undefined ? [] : [within]));
  return known.length < filters.length ? matches : pathFilter(matches, known.flat());
}

/**
 * Whether anything wanted can lie in `directory`: in its entries from name `from` up to, and without, name `to`, or in all of them. Reads nothing but names,
 * so a yes is a maybe.
 */
export function mayReach(filter: PathFilter | undefined, directory: string, from?: string, to?: string): boolean {
  if (filter?.within === undefined) return true;
  return filter.within.some((base) => {
    if (base === '' || base === directory || directory.startsWith(`${base}/`)) return true;
    if (directory !== '' && !base.startsWith(`${directory}/`)) return false;
    const [name = ''] = base.slice(directory === '' ? 0 : directory.length + 1).split('/');
    if (from !== undefined && compareUtf8(name, from) < 0) return false;
    return to === undefined || compareUtf8(name, to) < 0;
  });
}
