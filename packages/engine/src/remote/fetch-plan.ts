import type { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { failMap, IN_CHUNKS, isStoredSize, LOCATION_BYTES, OWN_KEY, readLocation, SLICE_BYTES } from '../model/map.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { NODE_SHAPE_AT, PART, TREE } from '../model/tree.js';
import type { Receiver } from '../store/receiver.js';
import type { Store } from '../store/store.js';
import type { BeginProgress } from '../util/progress.js';
import type { BlobSource } from './fetch-blobs.js';
import type { ChunkedSource } from './fetch-chunked.js';
import type { Attempt } from './fetch-tally.js';
import { blobKey } from './keys.js';
import type { LostRoot } from './lost-roots.js';
import type { Reach, Remote } from './remote.js';
import { OpenMaps, type RemoteMap } from './remote-map.js';
import { expectCodec, RemoteNodes } from './remote-nodes.js';
import type { StorageKey } from './storage/port.js';
import { walkMap } from './walk-map.js';

/** A root, or some of its files by their paths below it. */
export interface FetchWant {
  readonly root: OutRoot;
  readonly filter?: PathFilter | undefined;
}

/** How to fetch. */
export interface FetchRootsOptions {
  readonly remote: Remote;
  /** Asked in this order for what the first does not have, or has damaged. */
  readonly others?: readonly Remote[] | undefined;
  /** With it a remote that does not answer is left out; without, it ends the fetch. */
  readonly reach?: Reach | undefined;
  /** Told of each blob that comes, with the remote that gave it. */
  readonly arrived?: ((remote: Remote, bytes: number) => void) | undefined;
  readonly store: Store;
  /** Writes and hashes large files; this thread if it is not given. */
  readonly receiver?: Receiver | undefined;
  readonly wants: readonly FetchWant[];
  /** Only tree nodes, no file. */
  readonly treesOnly?: boolean | undefined;
  /** No file is fetched that would bring the bytes of this fetch above it, and none after it. */
  readonly maxBytes?: number | undefined;
  /** Is told of each root that cannot be had whole, instead of an error in the end. */
  readonly lost?: ((one: LostRoot) => void) | undefined;
  /** Finds versions that share content with a root which the remote does not have, such as both sides of a merge. */
  readonly relatives?: ((root: OutRoot) => Promise<readonly OutRoot[]>) | undefined;
  readonly beginProgress?: BeginProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the store lacks of a root, and where it is. */
export interface Lack {
  readonly nodes: { readonly raw: Buffer; readonly bytes: Buffer; readonly part: boolean }[];
  readonly sources: Map<StorageKey, BlobSource>;
  readonly chunked: ChunkedSource[];
  /** Maps that were opened on the way. */
  readonly maps: OpenMaps;
  /** Blobs that will come. */
  files: number;
  bytes: number;
}

/** Whom the walk tells. */
export interface LackEvents {
  /** Tells collections what this fetch counts on, before it looks whether it is here. */
  readonly rely: (raw: Buffer) => void;
  /** A node that cannot be had from this map; what lies below it is not known. */
  readonly failed: (error: SluiceError) => void;
}

/** Walks the trees of a root, counts, and gathers what the store lacks. */
export async function findLack(
  { remote, store, treesOnly, maxBytes, signal }: FetchRootsOptions,
  want: FetchWant,
  map: RemoteMap,
  attempt: Attempt,
  { rely, failed }: LackEvents,
): Promise<Lack> {
  const maps = new OpenMaps(remote, want.filter === undefined ? 'all' : 'some', signal);
  const lack: Lack = { nodes: [], sources: new Map(), chunked: [], maps, files: 0, bytes: 0 };
  const planned = new DigestTable();
  const bases = new DigestTable();
  const { catalog } = store.reader;
  let budget =
    maxBytes === undefined ? Number.POSITIVE_INFINITY : attempt.isFull ? -1 : maxBytes - attempt.receivedBefore;
  const isHere = (raw: Buffer, rawAt: number, size: number): boolean => {
    if (!catalog.has('blob', raw, rawAt)) {
      if (!planned.has(raw, rawAt)) return false;
      attempt.file(raw, rawAt, size, 'received');
    } else if (!attempt.hasCome('blob', raw, rawAt)) attempt.file(raw, rawAt, size, 'reused');
    // It came from elsewhere before that failed, and counts as what comes now.
    else if (attempt.file(raw, rawAt, size, 'received')) budget -= size;
    return true;
  };
  /** Counts a wanted file; returns whether its blob has to come. */
  const lacks = (raw: Buffer, rawAt: number, size: number): boolean => {
    if (isHere(raw, rawAt, size)) return false;
    if (size > budget) {
      // Nothing after it either: what is fetched is a beginning in the order of the walk.
      budget = -1;
      attempt.left(raw, rawAt, size);
      return false;
    }
    budget -= size;
    planned.set(raw, rawAt);
    attempt.file(raw, rawAt, size, 'received');
    return true;
  };
  if (want.root.kind === 'blob') {
    const raw = rawOf(want.root.digest);
    rely(raw);
    if (treesOnly !== true && want.filter?.('') !== false && lacks(raw, 0, want.root.bytes)) {
      addToSource(lack, raw, 0, want.root.bytes, map, await map.locations(0, 1), 0);
    }
    return lack;
  }
  const cameBase = (raw: Buffer, bytes: Buffer): void => {
    // Kept although nothing here names it: what this workspace pushes next may be patched on it too.
    rely(raw);
    if (catalog.has('tree', raw) || bases.has(raw)) return;
    bases.set(raw);
    lack.nodes.push({ raw: Buffer.from(raw), bytes: Buffer.from(bytes), part: bytes[NODE_SHAPE_AT] === PART });
  };
  const nodes = new RemoteNodes(remote.storage, signal, cameBase);
  const walk = { maps, nodes, reader: store.reader, rely, failed };
  for await (const { path, raw, bytes, node, spot, readLocations, isLocal } of walkMap(
    walk,
    map,
    want.root,
    want.filter,
  )) {
    const part = node.shape === PART;
    if (!isLocal) lack.nodes.push({ raw, bytes, part });
    if (!part) attempt.tree(raw, isLocal && !attempt.hasCome('tree', raw) ? 'reused' : 'received');
    if (treesOnly === true) continue;
    rely(node.digests);
    const wanted: { entry: number; at: number }[] = [];
    let location = 0;
    for (let entry = 0; entry < node.names.length; entry++) {
      if (node.kinds[entry] === TREE) continue;
      const at = location++ * LOCATION_BYTES;
      const name = node.names[entry] ?? '';
      if (want.filter?.(path === '' ? name : `${path}/${name}`) === false) continue;
      if (lacks(node.digests, entry * RAW_DIGEST_BYTES, node.sizes[entry] ?? 0)) wanted.push({ entry, at });
    }
    if (wanted.length === 0) continue;
    const rows = await readLocations();
    for (const { entry, at } of wanted) {
      addToSource(lack, node.digests, entry * RAW_DIGEST_BYTES, node.sizes[entry] ?? 0, spot.map, rows, at);
    }
  }
  return lack;
}

function addToSource(
  lack: Lack,
  raw: Buffer,
  rawAt: number,
  size: number,
  map: RemoteMap,
  rows: Buffer,
  at: number,
): void {
  const location = readLocation(rows, at, map.front, map.where);
  const digest = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
  lack.files++;
  lack.bytes += size;
  if (location.how === IN_CHUNKS) {
    lack.chunked.push({ raw: digest, size, map, first: location.offset, count: location.stored });
    return;
  }
  const whole = location.how === OWN_KEY;
  expectCodec(location.codec, map.where);
  if (!whole && !isStoredSize(location.codec, location.stored, size)) {
    failMap(map.where, 'it gives a blob another size than its tree');
  }
  const key = whole ? blobKey(map.areaOf(location.area), digestFromRaw(digest)) : map.packKey(location.pack);
  let source = lack.sources.get(key);
  if (source === undefined) {
    const slices = (): Promise<Buffer> => map.slices(location.offset, Math.ceil(size / SLICE_BYTES));
    source = { key, whole, digests: [], offsets: [], sizes: [], stored: [], codecs: [], slices };
    lack.sources.set(key, source);
  }
  source.digests.push(digest);
  source.offsets.push(location.offset);
  source.sizes.push(size);
  source.stored.push(location.stored);
  source.codecs.push(location.codec);
}
