import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { noFiles, type PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import { completeness } from '../store/complete.js';
import type { ObjectReader } from '../store/reader.js';
import { readDirectory } from '../store/trees.js';
import type { FetchRootsOptions, FetchWant } from './fetch-plan.js';
import { addFetchCounts, type FetchCounts } from './fetch-tally.js';

/** Fetches roots that the remote has under their own names. */
export type FetchNamed = (options: FetchRootsOptions) => Promise<FetchCounts>;

/**
 * Fetches a root that the remote does not have from roots that share its content: a merge that nobody has pushed is made of files and directories of versions that are there. Returns what came if all that
 * is wanted is here then, `undefined` otherwise; what came stays. Its top node has to be in the store. Throws what `fetchNamed` throws but for versions that the remote does not have either.
 */
export async function fetchRelatives(
  options: FetchRootsOptions,
  { root, filter }: FetchWant,
  fetchNamed: FetchNamed,
): Promise<FetchCounts | undefined> {
  const { reader } = options.store;
  const wanted = options.treesOnly === true ? noFiles(filter) : filter;
  if (root.kind !== 'tree' || options.relatives === undefined || options.maxBytes !== undefined) return undefined;
  if (!reader.catalog.has('tree', rawOf(root.digest))) return undefined;
  const came: FetchCounts = {
    files: { received: 0, reused: 0 },
    objects: { received: 0, reused: 0 },
    bytes: { received: 0, reused: 0 },
    left: { files: 0, bytes: 0 },
  };
  const bring = async (wants: readonly FetchWant[], treesOnly: boolean): Promise<boolean> => {
    try {
      addFetchCounts(came, await fetchNamed({ ...options, wants, treesOnly, relatives: undefined }));
      return true;
    } catch (error) {
      if (error instanceof SluiceError && error.exitCode === 4) return false;
      throw error;
    }
  };
  for (const relative of await options.relatives(root)) {
    if (relative.kind !== 'tree' || !(await bring([{ root: relative }], true))) continue;
    const shared = options.treesOnly === true ? new Set<string>() : sharedFiles(reader, root, relative, wanted);
    if (shared.size > 0) await bring([{ root: relative, filter: (path) => shared.has(path) }], false);
    if (completeness(reader, root, wanted) === 'complete') return came;
  }
  return undefined;
}

/** Paths of wanted files that are not here and that another root has at the same place. */
function sharedFiles(
  reader: ObjectReader,
  root: OutRoot,
  other: OutRoot,
  filter: PathFilter | undefined,
): ReadonlySet<string> {
  const there = new Map(filesHere(reader, other.digest));
  const shared = new Set<string>();
  for (const [path, digest] of filesHere(reader, root.digest)) {
    if (filter?.(path) === false || reader.catalog.has('blob', rawOf(digest))) continue;
    if (there.get(path) === digest) shared.add(path);
  }
  return shared;
}

/** Files below a tree, as far as its nodes are here. */
function* filesHere(reader: ObjectReader, root: Digest): Generator<readonly [path: string, digest: Digest]> {
  const open: { readonly raw: Buffer; readonly path: string }[] = [{ raw: rawOf(root), path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const directory = directoryHere(reader, next.raw, next.path);
    for (const [i, name] of directory?.names.entries() ?? []) {
      const path = next.path === '' ? name : `${next.path}/${name}`;
      const at = i * RAW_DIGEST_BYTES;
      const digests = directory?.digests ?? Buffer.alloc(0);
      if (directory?.kinds[i] !== TREE) yield [path, digestFromRaw(digests, at)];
      else open.push({ raw: Buffer.from(digests.subarray(at, at + RAW_DIGEST_BYTES)), path });
    }
  }
}

function directoryHere(reader: ObjectReader, raw: Buffer, path: string): ReturnType<typeof readDirectory> | undefined {
  if (!reader.catalog.has('tree', raw)) return undefined;
  try {
    return readDirectory(reader, raw, 0, path);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_OBJECT_MISSING') return undefined;
    throw error;
  }
}
