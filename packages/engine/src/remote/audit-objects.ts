import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { type Decode, openDecode } from '../model/decompress.js';
import { isStoredSize } from '../model/map.js';
import {
  CODEC_PATCH,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  type PackEntry,
  type PackIndex,
  packTailBytes,
  parsePackHeader,
  parsePackTail,
} from '../model/pack.js';
import { type ChunkedSource, readChunked } from './fetch-chunked.js';
import { placeOf } from './keys.js';
import { RangeReader } from './range-reader.js';
import { damagedAt, expectCodec, hasDigest, missingAt } from './remote-nodes.js';
import type { Storage, StorageKey } from './storage/port.js';

/** How much was looked at. */
export interface AuditCount {
  objects: number;
  bytes: number;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** A pack with more damaged objects than this is told by the first ones. */
const MOST_TOLD = 5;

/** Reads a whole pack, a few MiB at a time, and compares each object with its digest. Throws what the storage throws, and `ERR_FORMAT_VERSION`. */
export async function auditPack(
  storage: Storage,
  key: StorageKey,
  bytes: number,
  checked: AuditCount,
  signal: AbortSignal | undefined,
): Promise<{ readonly index: PackIndex | undefined; readonly problems: SluiceError[] }> {
  const where = placeOf(key, storage.description);
  let index: PackIndex;
  try {
    const head = await storage.get(key, { offset: 0, length: PACK_HEADER_BYTES }, { signal });
    parsePackHeader(head ?? Buffer.alloc(0), where);
    const trailer = await readEnd(storage, key, bytes, Math.min(PACK_TRAILER_BYTES, bytes), signal);
    const tail = await readEnd(storage, key, bytes, packTailBytes(trailer, bytes, where), signal);
    index = parsePackTail(tail, bytes, where);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_PACK_INVALID') throw error;
    return { index: undefined, problems: [error] };
  }
  const problems: SluiceError[] = [];
  const reader = new RangeReader(storage, key, signal);
  const decode = await openDecode(codecsOf(index));
  for (const row of rowsByOffset(index)) {
    const problem = await auditEntry(storage, reader, index.raw(row), index.entry(row), bytes, decode);
    if (problem === undefined) {
      checked.objects++;
      checked.bytes += index.entry(row).full;
    } else if (problems.length < MOST_TOLD) problems.push(problem);
  }
  return { index, problems };
}

/** Reads a large blob, a few MiB at a time. Throws what the storage throws. */
export async function auditBlob(
  storage: Storage,
  key: StorageKey,
  raw: Buffer,
  size: number,
  checked: AuditCount,
  signal: AbortSignal | undefined,
): Promise<SluiceError | undefined> {
  const whole = createHash('sha256');
  for (let at = 0; at < size; ) {
    const chunk = await storage.get(key, { offset: at, length: Math.min(CHUNK_BYTES, size - at) }, { signal });
    if (chunk === undefined) return missingAt(storage, key, 'blob', raw, 0);
    if (chunk.length === 0) break;
    whole.update(chunk);
    at += chunk.length;
  }
  if (!whole.digest().equals(raw)) return damagedAt(storage, key, 'blob', raw, 0);
  checked.objects++;
  checked.bytes += size;
  return undefined;
}

/** Reads a blob in chunks; these are counted with their packs. Throws what the storage throws. */
export async function auditChunked(
  storage: Storage,
  source: ChunkedSource,
  signal: AbortSignal | undefined,
): Promise<SluiceError | undefined> {
  const { raw } = source;
  const whole = createHash('sha256');
  for await (const { key, bytes } of readChunked(storage, source, signal)) {
    if (bytes === 'lost') return missingAt(storage, key, 'blob', raw, 0);
    if (bytes === 'damaged') return damagedAt(storage, key, 'blob', raw, 0);
    for (const chunk of bytes) whole.update(chunk);
  }
  return whole.digest().equals(raw) ? undefined : damagedAt(storage, source.map.packKey(0), 'blob', raw, 0);
}

async function auditEntry(
  storage: Storage,
  reader: RangeReader,
  raw: Buffer,
  { offset, stored, full, codec }: PackEntry,
  packBytes: number,
  decode: Decode,
): Promise<SluiceError | undefined> {
  const length = OBJECT_HEADER_BYTES + stored;
  const read = await reader.read(offset, length, packBytes - offset);
  // Whether what is new in a node is right is seen where its base is known.
  if (codec === CODEC_PATCH && read?.length === length) return undefined;
  expectCodec(codec, reader.key);
  // What an index claims is not believed: it is no reason to make room for more than any object has.
  const object =
    read?.length === length && isStoredSize(codec, stored, full)
      ? decode(codec, read.subarray(OBJECT_HEADER_BYTES), full)
      : undefined;
  const sound = object !== undefined && hasDigest(object, raw, 0);
  return sound ? undefined : damagedAt(storage, reader.key, 'object', raw, 0);
}

function* codecsOf(index: PackIndex): Generator<number> {
  for (let row = 0; row < index.count; row++) yield index.entry(row).codec;
}

function rowsByOffset(index: PackIndex): Uint32Array {
  const offsets = Float64Array.from({ length: index.count }, (_, row) => index.entry(row).offset);
  return Uint32Array.from(offsets.keys()).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
}

async function readEnd(
  storage: Storage,
  key: StorageKey,
  bytes: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return (await storage.get(key, { offset: Math.max(0, bytes - length), length }, { signal })) ?? Buffer.alloc(0);
}
