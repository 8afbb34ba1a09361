import { type Digest, tryParseDigest } from './digest.js';
import { asCount, asFlag, asObject, asText, type Block, expectKeys, type Fail, placeOf } from './json.js';
import { type Part, type PartKind, partKey, sortParts } from './parts.js';
import { compareUtf8, type RelPath, tryParseRelPath } from './path.js';
import type { OutRoot } from './root.js';

/** The parts and outs of locks and records, which have the same form in both. */

/** Reads `{"dep:a": "blob sha256:…", …}`; the result is sorted. */
export function parseParts(value: unknown, place: string, fail: Fail): Part[] {
  const parts: Part[] = [];
  for (const [key, entry] of asObject(value, place, fail)) parts.push(parsePart(key, entry, placeOf(place, key), fail));
  return sortParts(parts);
}

/** The printed form of parts, sorted, one line each. */
export function printParts(parts: readonly Part[]): Block {
  return sortParts(parts).map((part) => [
    partKey(part),
    part.via === undefined
      ? JSON.stringify(part.value)
      : `{ "value": ${JSON.stringify(part.value)}, "via": ${JSON.stringify(part.via)} }`,
  ]);
}

/** Reads `{"a/b": {"tree": "sha256:…", "files": 3, "bytes": 123}, …}`; sorted by path, no path inside another. */
export function parseOuts(value: unknown, place: string, fail: Fail): Map<RelPath, OutRoot> {
  const outs: [RelPath, OutRoot][] = [];
  for (const [key, entry] of asObject(value, place, fail)) {
    const here = placeOf(place, key);
    const path = tryParseRelPath(key);
    if (path === undefined || path === '') return fail(here, 'is not a safe path inside the workspace');
    outs.push([path, parseRoot(entry, here, fail)]);
  }
  const sorted = new Map(outs.sort(([a], [b]) => compareUtf8(a, b)));
  for (const path of sorted.keys()) {
    const outer = ancestorsOf(path).find((ancestor) => sorted.has(ancestor));
    if (outer !== undefined) return fail(placeOf(place, path), `lies inside the out ${JSON.stringify(outer)}`);
  }
  return sorted;
}

/** The printed form of outs, sorted, one line each: a change of one out is a change of one line. */
export function printOuts(outs: ReadonlyMap<RelPath, OutRoot>): Block {
  return [...outs].sort(([a], [b]) => compareUtf8(a, b)).map(([path, root]) => [path, printRoot(root)]);
}

/** A text that must be a digest. */
export function asDigest(value: unknown, place: string, fail: Fail): Digest {
  return tryParseDigest(value) ?? fail(place, 'is not a digest (sha256: and 64 hex digits)');
}

const SINGLE_KINDS = ['command', 'cwd', 'foreach'] as const satisfies PartKind[];
const NAMED_KINDS = ['dep', 'env', 'out', 'param', 'runtime'] as const satisfies PartKind[];

function parsePart(key: string, entry: unknown, place: string, fail: Fail): Part {
  const name = parsePartKey(asText(key, place, fail)) ?? fail(place, 'is not the name of a part');
  if (typeof entry === 'string') return { ...name, value: asText(entry, place, fail) };
  const object = asObject(entry, place, fail);
  expectKeys(object, ['value', 'via'], place, fail);
  if (name.kind !== 'dep' && name.kind !== 'param') return fail(place, 'is not a text');
  const via = asDigest(object.get('via'), placeOf(place, 'via'), fail);
  return { ...name, value: asText(object.get('value'), placeOf(place, 'value'), fail), via };
}

function parsePartKey(key: string): Pick<Part, 'kind' | 'name'> | undefined {
  const single = SINGLE_KINDS.find((kind) => kind === key);
  if (single !== undefined) return { kind: single, name: '' };
  const named = NAMED_KINDS.find((kind) => key.startsWith(`${kind}:`) && key.length > kind.length + 1);
  return named === undefined ? undefined : { kind: named, name: key.slice(named.length + 1) };
}

/** Reads `{"tree": "sha256:…", "files": 3, "bytes": 123}` or `{"blob": "sha256:…", "bytes": 123, "exec": true}`. */
export function parseRoot(entry: unknown, place: string, fail: Fail): OutRoot {
  const object = asObject(entry, place, fail);
  const bytes = asCount(object.get('bytes'), placeOf(place, 'bytes'), fail);
  if (object.has('tree')) {
    expectKeys(object, ['tree', 'files', 'bytes'], place, fail);
    const digest = asDigest(object.get('tree'), placeOf(place, 'tree'), fail);
    const files = asCount(object.get('files'), placeOf(place, 'files'), fail);
    return { kind: 'tree', digest, exec: false, files, bytes };
  }
  expectKeys(object, ['blob', 'bytes', 'exec'], place, fail);
  const digest = asDigest(object.get('blob'), placeOf(place, 'blob'), fail);
  const exec = object.has('exec') && asFlag(object.get('exec'), placeOf(place, 'exec'), fail);
  return { kind: 'blob', digest, exec, files: 1, bytes };
}

/** The inverse of {@link parseRoot}, on one line. */
export function printRoot(root: OutRoot): string {
  const digest = JSON.stringify(root.digest);
  if (root.kind === 'tree') return `{ "tree": ${digest}, "files": ${root.files}, "bytes": ${root.bytes} }`;
  return `{ "blob": ${digest}, "bytes": ${root.bytes}${root.exec ? ', "exec": true' : ''} }`;
}

function ancestorsOf(path: string): RelPath[] {
  const ancestors: RelPath[] = [];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const ancestor = tryParseRelPath(path.slice(0, at));
    if (ancestor !== undefined) ancestors.push(ancestor);
  }
  return ancestors;
}
