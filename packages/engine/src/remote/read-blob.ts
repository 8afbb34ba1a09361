import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { openDecode } from '../model/decompress.js';
import { digestFromRaw, equalRaw, RAW_DIGEST_BYTES, rawDigestOf } from '../model/digest.js';
import {
  damagedMap,
  IN_CHUNKS,
  isStoredSize,
  LOCATION_BYTES,
  OWN_KEY,
  OWN_KEY_BYTES,
  readLocation,
  SLICE_BYTES,
} from '../model/map.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import { filterBelow } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { PART, SPLIT, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { type ChunkedSource, readChunked } from './fetch-chunked.js';
import { blobKey } from './keys.js';
import { isUnreachable, type Remote } from './remote.js';
import { OpenMaps, type RemoteMap } from './remote-map.js';
import { damagedAt, expectCodec, hasDigest, missingAt, RemoteNodes } from './remote-nodes.js';
import type { Storage, StorageKey } from './storage/port.js';
import { walkMap } from './walk-map.js';

/** A file of a root on a remote, and which of its bytes are wanted. */
export interface BlobRange {
  readonly root: OutRoot;
  /** Below the root; `''` for a root that is a file. */
  readonly path: string;
  readonly raw: Buffer;
  /** Bytes of the whole file. */
  readonly size: number;
  /** First byte, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** What reading needs. `reader`: tree nodes that the store has are not read from the remote. */
export interface ReadBlob {
  readonly remote: Remote;
  readonly reader: ObjectReader;
  readonly signal?: AbortSignal | undefined;
}

/** Slices that are asked for at once. */
const WINDOW_SLICES = 4;

/**
 * The bytes of a file's range from a remote, in order, each checked before it is given: those of a large file by the digests of the slices or chunks they lie in, which are
 * all that is read of it; of a small one, all of it is read and compared with its digest. A large file that is read whole is compared with its digest at the end as well. A copy
 * that turns out to be damaged is left for that of the next area. Throws `ERR_NOT_LOCAL` if the remote does not have the file, `ERR_OBJECT_MISSING`,
 * `ERR_OBJECT_DAMAGED` or `ERR_MAP_INVALID` if no copy is sound, `ERR_REMOTE_DOWN` and `ERR_REMOTE_DENIED`.
 */
export async function* readRemoteBlob(options: ReadBlob, wanted: BlobRange): AsyncGenerator<Buffer> {
  const { remote, signal } = options;
  let at = wanted.from;
  let failure: SluiceError | undefined;
  const used = (await remote.contact(signal)) === 'used';
  for (const area of used ? remote.areas.bytes : []) {
    try {
      const maps = new OpenMaps(remote, 'some', signal);
      const map = await maps.in(area, wanted.root.digest);
      if (map === undefined) continue;
      for await (const chunk of fromMap(options, { ...wanted, from: at }, maps, map)) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (isUnreachable(error) || !(error instanceof SluiceError) || error.exitCode !== 4) throw error;
      failure ??= error;
    }
  }
  throw failure ?? notThere(remote, wanted);
}

async function* fromMap(
  { remote, reader, signal }: ReadBlob,
  wanted: BlobRange,
  maps: OpenMaps,
  map: RemoteMap,
): AsyncGenerator<Buffer> {
  const { storage } = remote;
  const { raw, size } = wanted;
  const found = await findLocation({ maps, nodes: new RemoteNodes(storage, signal), reader }, map, wanted);
  if (found === undefined) throw notThere(remote, wanted);
  const { home, row } = found;
  const location = readLocation(row, 0, home.front, home.where);
  if (location.how === IN_CHUNKS) {
    const source = { raw, size, map: home, first: location.offset, count: location.stored };
    yield* checkedWhole({ storage, key: home.packKey(0), signal }, wanted, inChunks(storage, source, wanted, signal));
    return;
  }
  expectCodec(location.codec, home.where);
  if (location.how !== OWN_KEY) {
    const { codec, stored, offset } = location;
    if (size >= OWN_KEY_BYTES || !isStoredSize(codec, stored, size)) throw wrongSize(home);
    const key = home.packKey(location.pack);
    const packed = await storage.get(key, { offset: offset + OBJECT_HEADER_BYTES, length: stored }, { signal });
    if (packed === undefined) throw missingAt(storage, key, 'blob', raw, 0);
    const bytes = (await openDecode([codec]))(codec, packed, size);
    if (bytes === undefined || !hasDigest(bytes, raw, 0)) throw damagedAt(storage, key, 'blob', raw, 0);
    if (wanted.to > wanted.from) yield bytes.subarray(wanted.from, wanted.to);
    return;
  }
  const key = blobKey(home.areaOf(location.area), digestFromRaw(raw));
  const first = Math.floor(wanted.from / SLICE_BYTES);
  const end = Math.ceil(wanted.to / SLICE_BYTES);
  const slices = await home.slices(location.offset + first, end - first);
  const place = { storage, key, signal };
  yield* checkedWhole(place, wanted, readSlices(place, wanted, first, slices));
}

/** Where a blob of its own is read from. */
interface Place {
  readonly storage: Storage;
  readonly key: StorageKey;
  readonly signal: AbortSignal | undefined;
}

/** The chunks that hold the wanted bytes, each compared with its digest in the map. */
async function* inChunks(
  storage: Storage,
  source: ChunkedSource,
  { raw, from, to }: BlobRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const { key, start, bytes } of readChunked(storage, source, signal, { from, to })) {
    if (bytes === 'lost') throw missingAt(storage, key, 'blob', raw, 0);
    if (bytes === 'damaged') throw damagedAt(storage, key, 'blob', raw, 0);
    let at = start;
    for (const chunk of bytes) {
      yield chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
      at += chunk.length;
    }
  }
}

/** Passes on what is read. Of a file that is read whole, the last bytes are held back until its digest is known. */
async function* checkedWhole(
  { storage, key }: Place,
  { raw, size, from, to }: BlobRange,
  chunks: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  const whole = from === 0 && to === size ? createHash('sha256') : undefined;
  let held: Buffer | undefined;
  for await (const chunk of chunks) {
    if (held !== undefined) yield held;
    whole?.update(chunk);
    held = chunk;
  }
  if (whole !== undefined && !whole.digest().equals(raw)) throw damagedAt(storage, key, 'blob', raw, 0);
  if (held !== undefined) yield held;
}

/** `slices`: the digests of the slices from number `first` on. The next window is on its way while one is checked. */
async function* readSlices(
  { storage, key, signal }: Place,
  { raw, size, from, to }: BlobRange,
  first: number,
  slices: Buffer,
): AsyncGenerator<Buffer> {
  const end = Math.min(size, (first + slices.length / RAW_DIGEST_BYTES) * SLICE_BYTES);
  const get = (offset: number): Promise<Buffer | undefined> | undefined => {
    if (offset >= end) return undefined;
    const bytes = storage.get(key, { offset, length: Math.min(WINDOW_SLICES * SLICE_BYTES, end - offset) }, { signal });
    // It is awaited one window later; until then its failure must not count as unhandled.
    bytes.catch(() => {});
    return bytes;
  };
  let coming = get(first * SLICE_BYTES);
  for (let offset = first * SLICE_BYTES; coming !== undefined; offset += WINDOW_SLICES * SLICE_BYTES) {
    const bytes = await coming;
    if (bytes === undefined) throw missingAt(storage, key, 'blob', raw, 0);
    coming = get(offset + WINDOW_SLICES * SLICE_BYTES);
    const length = Math.min(WINDOW_SLICES * SLICE_BYTES, end - offset);
    if (bytes.length !== length || !areSlices(bytes, slices, offset / SLICE_BYTES - first)) {
      throw damagedAt(storage, key, 'blob', raw, 0);
    }
    yield bytes.subarray(Math.max(0, from - offset), Math.max(0, to - offset));
  }
}

function areSlices(bytes: Buffer, slices: Buffer, number: number): boolean {
  for (let at = 0, slice = number; at < bytes.length; at += SLICE_BYTES, slice++) {
    if (!equalRaw(rawDigestOf(bytes.subarray(at, at + SLICE_BYTES)), 0, slices, slice * RAW_DIGEST_BYTES)) return false;
  }
  return true;
}

/** The location row of a file, and the map that holds it. Reads the nodes on its path. */
async function findLocation(
  walk: { readonly maps: OpenMaps; readonly nodes: RemoteNodes; readonly reader: ObjectReader },
  map: RemoteMap,
  { root, path }: BlobRange,
): Promise<{ readonly home: RemoteMap; readonly row: Buffer } | undefined> {
  if (root.kind === 'blob') return { home: map, row: await map.locations(0, 1) };
  const slash = path.lastIndexOf('/');
  const directory = path.slice(0, Math.max(0, slash));
  const name = path.slice(slash + 1);
  for await (const { path: at, node, spot } of walkMap(walk, map, root, filterBelow(path))) {
    if (at !== directory || node.shape === SPLIT) continue;
    const entry = node.names.indexOf(name);
    if (entry < 0 && node.shape === PART) continue;
    if (entry < 0 || node.kinds[entry] === TREE) return undefined;
    let location = spot.row.firstLocation;
    for (let i = 0; i < entry; i++) if (node.kinds[i] !== TREE) location++;
    return { home: spot.map, row: (await spot.map.locations(location, 1)).subarray(0, LOCATION_BYTES) };
  }
  return undefined;
}

function notThere(remote: Remote, { raw }: BlobRange): SluiceError {
  const digest = digestFromRaw(raw);
  return new SluiceError('ERR_NOT_LOCAL', `${digest} is not on ${remote.description}`, { details: { digest } });
}

function wrongSize(map: RemoteMap): SluiceError {
  return damagedMap(map.where, 'it gives a blob another size than its tree');
}
