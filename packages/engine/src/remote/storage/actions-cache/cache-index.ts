import { hash } from 'node:crypto';
import { SluiceError } from '../../../errors.js';
import { ByteReader } from '../../../model/bytes.js';
import { type StorageKey, tryParseStorageKey } from '../port.js';

/** Where the bytes of an object lie: in the index itself, or in an entry with data. */
export type CachePlace =
  | { readonly kind: 'inline'; readonly data: Buffer }
  | { readonly kind: 'data'; readonly name: string; readonly offset: number };

/** An object of the storage. */
export interface CacheRow {
  readonly bytes: number;
  /** The index that last had a use for it. */
  readonly usedIn: number;
  readonly place: CachePlace;
}

/** All objects that one scope holds, as one job wrote them down. */
export interface CacheIndex {
  readonly generation: number;
  /** Random: tells two indexes of one number apart. */
  readonly id: Buffer;
  readonly rows: ReadonlyMap<StorageKey, CacheRow>;
}

/** An index larger than this is not read, and none is written. */
export const LARGEST_INDEX_BYTES: number = 16 * 1024 * 1024;

export const INDEX_ID_BYTES = 16;
const MAGIC = Buffer.from('SLAC');
const VERSION = 1;
const NAME_BYTES = 16;
const HASH_BYTES = 32;
const HEADER_BYTES = 40;
const INLINE = 0;
const DATA = 1;

/** The bytes of an index, as `docs/format.md` draws them. */
export function encodeIndex({ generation, id, rows }: CacheIndex): Buffer {
  const names = [...new Set([...rows.values()].flatMap(({ place }) => (place.kind === 'data' ? [place.name] : [])))];
  const numbers = new Map(names.map((name, number) => [name, number]));
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(head);
  head[4] = VERSION;
  id.copy(head, 8, 0, INDEX_ID_BYTES);
  head.writeBigUInt64LE(BigInt(generation), 24);
  head.writeUInt32LE(names.length, 32);
  head.writeUInt32LE(sorted.length, 36);
  const inline: Buffer[] = [];
  const table = sorted.map(([key, { bytes, usedIn, place }]) => {
    const row = Buffer.alloc(2 + key.length + 29);
    let at = row.writeUInt16LE(key.length, 0);
    at += row.write(key, at, 'latin1');
    at = row.writeUInt8(place.kind === 'inline' ? INLINE : DATA, at);
    at = row.writeBigUInt64LE(BigInt(usedIn), at);
    at = row.writeBigUInt64LE(BigInt(bytes), at);
    at = row.writeUInt32LE(place.kind === 'inline' ? 0 : (numbers.get(place.name) ?? 0), at);
    row.writeBigUInt64LE(BigInt(place.kind === 'inline' ? 0 : place.offset), at);
    if (place.kind === 'inline') inline.push(place.data);
    return row;
  });
  const body = Buffer.concat([head, ...names.map((name) => Buffer.from(name, 'hex')), ...table, ...inline]);
  return Buffer.concat([body, Buffer.from(hash('sha256', body, 'hex'), 'hex')]);
}

/** What somebody wrote down; hostile. `damaged` if it breaks a rule. Throws `ERR_FORMAT_VERSION` if a newer Sluice wrote it. */
export function parseIndex(bytes: Buffer, where: string): CacheIndex | 'damaged' {
  try {
    return parse(bytes, where);
  } catch (error) {
    if (error instanceof RangeError) return 'damaged';
    throw error;
  }
}

function parse(bytes: Buffer, where: string): CacheIndex {
  const reader = new ByteReader(bytes, fail);
  if (!reader.take(MAGIC.length).equals(MAGIC)) fail('it is no index');
  if (reader.u8() !== VERSION) {
    throw new SluiceError('ERR_FORMAT_VERSION', `an index of ${where} was written by a newer Sluice`, {
      hint: 'Update Sluice in this workspace, or in the workflow.',
    });
  }
  const end = bytes.length - HASH_BYTES;
  if (end < HEADER_BYTES || hash('sha256', bytes.subarray(0, end), 'hex') !== bytes.toString('hex', end)) {
    fail('its checksum is wrong');
  }
  reader.take(3);
  const id = Buffer.from(reader.take(INDEX_ID_BYTES));
  const generation = reader.u64();
  const nameCount = reader.u32();
  const count = reader.u32();
  if (nameCount * NAME_BYTES > reader.left) fail('it is cut off');
  const names = Array.from({ length: nameCount }, () => reader.take(NAME_BYTES).toString('hex'));
  const rows = new Map<StorageKey, CacheRow>();
  const inline: { readonly key: StorageKey; readonly row: Omit<CacheRow, 'place'> }[] = [];
  let before = '';
  for (let i = 0; i < count; i++) {
    const text = reader.take(reader.u16()).toString('latin1');
    const key = tryParseStorageKey(text) ?? fail('a key is none');
    if (text <= before) fail('keys are not sorted');
    before = text;
    const kind = reader.u8();
    const usedIn = reader.u64();
    const size = reader.u64();
    const name = names[reader.u32()];
    const offset = reader.u64();
    const row = { bytes: size, usedIn };
    if (kind === INLINE) inline.push({ key, row });
    else if (kind === DATA && name !== undefined) rows.set(key, { ...row, place: { kind: 'data', name, offset } });
    else fail('a place is none');
  }
  for (const { key, row } of inline) {
    rows.set(key, { ...row, place: { kind: 'inline', data: Buffer.from(reader.take(row.bytes)) } });
  }
  if (reader.left !== HASH_BYTES) fail('it holds more than it says');
  return { generation, id, rows };
}

function fail(problem: string): never {
  throw new RangeError(problem);
}
