import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { LOCATION_BYTES, OWN_KEY, readLocation } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import { PART, TREE } from '../model/tree.js';
import type { Ingestor } from '../store/ingest.js';
import { PACK_COUNT } from '../store/layout.js';
import type { WriteSession } from '../store/session.js';
import type { Store } from '../store/store.js';
import type { BeginProgress } from '../util/progress.js';
import { type BlobSource, fetchPacked, fetchWhole } from './fetch-blobs.js';
import { markSeen } from './have-file.js';
import { blobKey } from './keys.js';
import type { Remote } from './remote.js';
import { isUnreachable } from './remote.js';
import { OpenMaps, openMap, type RemoteMap } from './remote-map.js';
import { expectCodec, RemoteNodes } from './remote-nodes.js';
import type { StorageKey } from './storage/port.js';
import { walkMap } from './walk-map.js';

/** A root, or some of its files by their paths below it. */
export interface FetchWant {
  readonly root: OutRoot;
  readonly filter?: ((path: string) => boolean) | undefined;
}

/** How to fetch. */
export interface FetchRootsOptions {
  readonly remote: Remote;
  readonly store: Store;
  readonly wants: readonly FetchWant[];
  /** Only tree nodes, no file. */
  readonly treesOnly?: boolean | undefined;
  /** No file is fetched that would bring the bytes of this fetch above it. */
  readonly maxBytes?: number | undefined;
  readonly beginProgress?: BeginProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came, what was here, and what a limit left out. */
export interface FetchResult {
  readonly files: { received: number; reused: number };
  readonly objects: { received: number; reused: number };
  readonly bytes: { received: number; reused: number };
  readonly left: { files: number; bytes: number };
}

/** After this many bytes what has come is published, so that an interrupted fetch keeps it. */
const PUBLISH_BYTES = 128 * 1024 * 1024;

/**
 * Brings roots, or parts of them, from a remote into the store. Each byte is compared with the digest of the tree that names it before it is
 * published. A copy that is missing or damaged in one area is looked for in the others. Throws `ERR_NOT_LOCAL` if the remote does not have a
 * root, `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED` if no copy is sound, `ERR_REMOTE_DOWN` and `ERR_REMOTE_DENIED`.
 */
export async function fetchRoots(options: FetchRootsOptions): Promise<FetchResult> {
  const { remote, store, wants } = options;
  const result = emptyResult();
  if (wants.length === 0) return result;
  if ((await remote.contact(options.signal)) === 'empty') throw notThere(remote, wants[0]?.root);
  markSeen(store, remote.description);
  store.reader.catalog.refresh();
  await store.write(async (session) => {
    const counted = new DigestTable();
    for (const want of wants) await fetchFromAnyArea(options, want, session, result, counted);
  });
  store.reader.catalog.refresh();
  return result;
}

/** Tries the areas in order, and the first once more: a repack may have replaced its map meanwhile. */
async function fetchFromAnyArea(
  options: FetchRootsOptions,
  want: FetchWant,
  session: WriteSession,
  result: FetchResult,
  counted: DigestTable,
): Promise<void> {
  const { remote, signal } = options;
  const appetite = want.filter === undefined && options.treesOnly !== true ? 'all' : 'some';
  let failure: unknown;
  for (const area of [...remote.areas.bytes, ...remote.areas.bytes.slice(0, 1)]) {
    const part = emptyResult();
    try {
      const map = await openMap(remote, area, want.root.digest, appetite, signal);
      if (map === undefined) continue;
      await fetchWant(options, want, map, session, {
        total: result,
        part,
        counted,
        rely: (raw) => session.lease.append(raw),
      });
      add(result, part);
      return;
    } catch (error) {
      // What came before the failure is kept, and is not asked for again.
      add(result, { ...emptyResult(), ...received(part) });
      if (isUnreachable(error) || !(error instanceof SluiceError) || error.code === 'ERR_INTERRUPTED') throw error;
      failure = error;
    }
  }
  throw failure ?? notThere(remote, want.root);
}

/** Counts of the whole fetch and of one attempt at one root; `counted` holds the blobs that were reused. */
interface Tally {
  readonly total: FetchResult;
  readonly part: FetchResult;
  readonly counted: DigestTable;
  /** Tells collections what this fetch counts on, before it looks whether it is here. */
  readonly rely: (raw: Buffer) => void;
}

function emptyResult(): FetchResult {
  const none = (): { received: number; reused: number } => ({ received: 0, reused: 0 });
  return { files: none(), objects: none(), bytes: none(), left: { files: 0, bytes: 0 } };
}

function received({ files, objects, bytes }: FetchResult): Pick<FetchResult, 'files' | 'objects' | 'bytes'> {
  const only = (count: { received: number }): { received: number; reused: number } => ({
    received: count.received,
    reused: 0,
  });
  return { files: only(files), objects: only(objects), bytes: only(bytes) };
}

function add(to: FetchResult, more: FetchResult): void {
  for (const what of ['files', 'objects', 'bytes'] as const) {
    to[what].received += more[what].received;
    to[what].reused += more[what].reused;
  }
  to.left.files += more.left.files;
  to.left.bytes += more.left.bytes;
}

/** What one root lacks here, and the plan to get it. */
interface Lack {
  readonly nodes: { readonly raw: Buffer; readonly bytes: Buffer; readonly part: boolean }[];
  readonly sources: Map<StorageKey, BlobSource>;
  /** Files by the digest of their blob, to count twins. */
  files: number;
  bytes: number;
}

async function fetchWant(
  options: FetchRootsOptions,
  want: FetchWant,
  map: RemoteMap,
  session: WriteSession,
  tally: Tally,
): Promise<void> {
  const { remote, store, signal } = options;
  const { part: result } = tally;
  const lack = await findLack(options, want, map, tally);
  const advance = lack.files === 0 ? undefined : options.beginProgress?.(lack.files, lack.bytes);
  const batch = openBatch(session, lack.files + lack.nodes.length >= PACK_COUNT);
  try {
    for (const { raw, bytes, part } of lack.nodes) batch.ingestor().addBytes('tree', bytes, raw, 0, part);
    for (const source of lack.sources.values()) {
      const take = source.whole ? fetchWhole : fetchPacked;
      await take(
        remote.storage,
        source,
        batch.ingestor,
        (_, bytes) => {
          batch.count(bytes);
          result.files.received++;
          result.objects.received++;
          result.bytes.received += bytes;
          advance?.(1, bytes);
        },
        signal,
      );
    }
    batch.publish();
  } catch (error) {
    batch.keepWhatCame();
    throw error;
  } finally {
    store.reader.catalog.refresh();
  }
}

/** Walks the trees of a root and gathers what the store lacks. */
async function findLack(
  { remote, store, treesOnly, maxBytes, signal }: FetchRootsOptions,
  want: FetchWant,
  map: RemoteMap,
  { total, part: result, counted, rely }: Tally,
): Promise<Lack> {
  const lack: Lack = { nodes: [], sources: new Map(), files: 0, bytes: 0 };
  const planned = new DigestTable();
  const budget = { left: maxBytes === undefined ? Number.POSITIVE_INFINITY : maxBytes - total.bytes.received };
  const addBlob = (raw: Buffer, rawAt: number, size: number, from: RemoteMap, location: Buffer, at: number): void => {
    if (store.reader.catalog.has('blob', raw, rawAt)) {
      result.files.reused++;
      if (!counted.set(raw, rawAt)) return;
      result.objects.reused++;
      result.bytes.reused += size;
      return;
    }
    if (planned.has(raw, rawAt)) {
      result.files.reused++;
      return;
    }
    if (size > budget.left) {
      // Nothing after it either: what is fetched is a beginning in the order of paths.
      budget.left = -1;
      result.left.files++;
      result.left.bytes += size;
      return;
    }
    budget.left -= size;
    planned.set(raw, rawAt);
    addToSource(lack, raw, rawAt, size, from, location, at);
  };
  if (want.root.kind === 'blob') {
    rely(rawOf(want.root.digest));
    if (treesOnly !== true) addBlob(rawOf(want.root.digest), 0, want.root.bytes, map, await map.locations(0, 1), 0);
    return lack;
  }
  const maps = new OpenMaps(remote, want.filter === undefined ? 'all' : 'some', signal);
  const walk = { maps, nodes: new RemoteNodes(remote.storage, signal), reader: store.reader, rely };
  for await (const { path, raw, bytes, node, spot, locations, isLocal } of walkMap(walk, map, want.root)) {
    const part = node.shape === PART;
    if (!isLocal) lack.nodes.push({ raw, bytes, part });
    if (!part) result.objects[isLocal ? 'reused' : 'received']++;
    if (treesOnly === true) continue;
    rely(node.digests);
    let location = 0;
    for (let i = 0; i < node.names.length; i++) {
      if (node.kinds[i] === TREE) continue;
      const at = location++ * LOCATION_BYTES;
      const name = node.names[i] ?? '';
      if (want.filter?.(path === '' ? name : `${path}/${name}`) === false) continue;
      addBlob(node.digests, i * RAW_DIGEST_BYTES, node.sizes[i] ?? 0, spot.map, locations, at);
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
  bytes: Buffer,
  at: number,
): void {
  const location = readLocation(bytes, at, map.front, map.where);
  const digest = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
  const whole = location.how === OWN_KEY;
  if (!whole) {
    expectCodec(location.codec, map.where);
    if (location.stored !== size) {
      throw new SluiceError('ERR_MAP_INVALID', `map ${map.where} gives a blob another size than its tree`);
    }
  }
  const key = whole ? blobKey(map.areaOf(location.area), digestFromRaw(digest)) : map.packKey(location.pack);
  let source = lack.sources.get(key);
  if (source === undefined) {
    source = { key, whole, digests: [], offsets: [], sizes: [] };
    lack.sources.set(key, source);
  }
  source.digests.push(digest);
  source.offsets.push(location.offset);
  source.sizes.push(size);
  lack.files++;
  lack.bytes += size;
}

/** An ingestor that is published and replaced when much has come. */
interface Batch {
  readonly ingestor: () => Ingestor;
  count(bytes: number): void;
  publish(): void;
  keepWhatCame(): void;
}

function openBatch(session: WriteSession, packed: boolean): Batch {
  let current: Ingestor | undefined;
  let bytes = 0;
  const publish = (): void => {
    if (current === undefined) return;
    const finished = current;
    current = undefined;
    bytes = 0;
    session.publish([finished.finish()]);
  };
  return {
    ingestor: () => {
      current ??= session.ingestor(packed);
      return current;
    },
    count: (more) => {
      bytes += more;
      if (bytes >= PUBLISH_BYTES) publish();
    },
    publish,
    keepWhatCame: () => {
      try {
        publish();
      } catch {
        // The failure that led here is the one to tell; what is not published comes again.
      }
    },
  };
}

function notThere(remote: Remote, root: OutRoot | undefined): SluiceError {
  return new SluiceError(
    'ERR_NOT_LOCAL',
    `${root?.digest ?? 'the data'} is neither here nor on ${remote.description}`,
    {
      hint: 'Push it from a workspace that has it, or run its stage again.',
      details: { digest: root?.digest ?? '' },
    },
  );
}
