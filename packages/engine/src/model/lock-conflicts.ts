import type { Digest } from './digest.js';
import { asObject, type Block, expectKeys, type Fail, placeOf } from './json.js';
import {
  CONFLICT_CLASSES,
  type ConflictClass,
  entryOfRoot,
  rootOfEntry,
  type Sides,
  type TreeEntry,
} from './merge/merge-entry.js';
import { asDigest, parseRoot, printRoot } from './outs-json.js';
import { compareUtf8, type RelPath, tryParseRelPath } from './path.js';
import { LINK } from './tree.js';

/** What a merge could not decide about one path of an out. */
export interface LockConflict extends Sides<TreeEntry> {
  readonly target: string;
  readonly out: RelPath;
  /** Below the out; `''` for the whole out. */
  readonly path: RelPath;
  readonly class: ConflictClass;
  /** A tree node that could not be had: nothing of the out has been merged yet, and it can be tried again. */
  readonly missing?: Digest;
}

/** The key of a whole out: no file has this name. */
const WHOLE_OUT = '.';

/** Reads `{"<target>": {"<out>": {"<path>": {"class", "base"?, "ours"?, "theirs"?, "missing"?}}}}`; the result is sorted. */
export function parseConflicts(value: unknown, place: string, fail: Fail): LockConflict[] {
  const conflicts: LockConflict[] = [];
  for (const [target, outs] of asObject(value, place, fail)) {
    const ofTarget = placeOf(place, target);
    for (const [out, paths] of asObject(outs, ofTarget, fail)) {
      const ofOut = placeOf(ofTarget, out);
      for (const [path, entry] of asObject(paths, ofOut, fail)) {
        const here = placeOf(ofOut, path);
        const names = { target, out: safePath(out, ofOut, fail), path: safePath(path, here, fail) };
        conflicts.push({ ...names, ...parseConflict(entry, here, fail) });
      }
    }
  }
  return sortConflicts(conflicts);
}

/** The inverse of {@link parseConflicts}: one line per path. */
export function printConflicts(conflicts: readonly LockConflict[]): Block {
  const targets = grouped(sortConflicts(conflicts), ({ target }) => target);
  return [...targets].map(([target, ofTarget]) => {
    const outs = grouped(ofTarget, ({ out }) => out);
    return [
      target,
      [...outs].map(([out, ofOut]) => [
        out,
        ofOut.map((conflict) => [conflict.path === '' ? WHOLE_OUT : conflict.path, printConflict(conflict)]),
      ]),
    ];
  });
}

/** By target, out and path, in the order of UTF-8 bytes. */
export function sortConflicts(conflicts: readonly LockConflict[]): LockConflict[] {
  return [...conflicts].sort(
    (a, b) => compareUtf8(a.target, b.target) || compareUtf8(a.out, b.out) || compareUtf8(a.path, b.path),
  );
}

/** `raw: people/raw/a.jpg (both-changed)`, for messages. */
export function conflictName({ target, out, path, class: name }: LockConflict): string {
  return `${target}: ${path === '' ? out : `${out}/${path}`} (${name})`;
}

function safePath(text: string, place: string, fail: Fail): RelPath {
  const path = tryParseRelPath(text === WHOLE_OUT ? '' : text);
  return path === undefined ? fail(place, 'is not a safe path') : path;
}

function parseConflict(value: unknown, place: string, fail: Fail): Omit<LockConflict, 'target' | 'out' | 'path'> {
  const entry = asObject(value, place, fail);
  expectKeys(entry, ['class', 'missing', 'base', 'ours', 'theirs'], place, fail);
  const name = CONFLICT_CLASSES.find((known) => known === entry.get('class'));
  if (name === undefined) return fail(placeOf(place, 'class'), `is not one of ${CONFLICT_CLASSES.join(', ')}`);
  const side = (key: string): TreeEntry | undefined =>
    entry.has(key) ? parseEntry(entry.get(key), placeOf(place, key), fail) : undefined;
  const sides = { base: side('base'), ours: side('ours'), theirs: side('theirs') };
  if (!entry.has('missing')) return { class: name, ...sides };
  return { class: name, ...sides, missing: asDigest(entry.get('missing'), placeOf(place, 'missing'), fail) };
}

function parseEntry(value: unknown, place: string, fail: Fail): TreeEntry {
  const entry = asObject(value, place, fail);
  if (!entry.has('link')) return entryOfRoot(parseRoot(value, place, fail));
  expectKeys(entry, ['link', 'bytes'], place, fail);
  const target = { blob: entry.get('link'), bytes: entry.get('bytes') };
  return { ...entryOfRoot(parseRoot(target, place, fail)), kind: LINK };
}

function printConflict({ class: name, missing, base, ours, theirs }: LockConflict): string {
  const fields = [`"class": ${JSON.stringify(name)}`];
  if (missing !== undefined) fields.push(`"missing": ${JSON.stringify(missing)}`);
  for (const [side, entry] of Object.entries({ base, ours, theirs })) {
    if (entry !== undefined) fields.push(`${JSON.stringify(side)}: ${printEntry(entry)}`);
  }
  return `{ ${fields.join(', ')} }`;
}

function printEntry(entry: TreeEntry): string {
  const { kind, digest, size } = entry;
  if (kind === LINK) return `{ "link": ${JSON.stringify(digest)}, "bytes": ${size} }`;
  return printRoot(rootOfEntry(entry));
}

function grouped<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
