import { randomBytes } from 'node:crypto';
import { PACK_NAME_BYTES } from '../../model/map.js';
import {
  INDEX_ENTRY_BYTES,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  type PackIndex,
  PackIndexBuilder,
} from '../../model/pack.js';
import { packKey } from '../keys.js';
import { REMOTE_PACK_BYTES } from '../pack-builder.js';
import { RangeReader } from '../range-reader.js';
import type { Remote } from '../remote.js';
import { bodyOf, type ListedObject, type StorageKey } from '../storage/port.js';
import type { Moved } from './rewrite-map.js';
import type { Usage } from './usage.js';

/** A pack of which less than this is needed is worth copying: a byte copied frees at least as many. */
const WORTH_BELOW = 0.5;
/** Bytes that one collection copies at most. */
export const COPIED_BYTES: number = 2 * 1024 * 1024 * 1024;

/** A pack whose needed objects are to be copied. */
export interface Sparse {
  readonly object: ListedObject;
  readonly index: PackIndex;
  /** Bytes that are needed. */
  readonly live: number;
}

/** The packs that are mostly dead, those that cost least for what they free first, as many as `mostBytes` allow. */
export function findSparse(
  packs: readonly ListedObject[],
  indexes: ReadonlyMap<StorageKey, PackIndex>,
  usage: Usage,
  youngMs: number,
  mostBytes: number,
): Sparse[] {
  const sparse = packs.flatMap((object): Sparse[] => {
    const index = indexes.get(object.key);
    const extents = usage.packs.get(object.key);
    if (index === undefined || extents === undefined) return [];
    if (usage.pinned.has(object.key) || object.modifiedMs > youngMs) return [];
    let live = PACK_HEADER_BYTES + extents.size * INDEX_ENTRY_BYTES;
    for (const bytes of extents.values()) live += bytes;
    return live < object.bytes * WORTH_BELOW ? [{ object, index, live }] : [];
  });
  sparse.sort((a, b) => a.live / a.object.bytes - b.live / b.object.bytes);
  let left = mostBytes;
  return sparse.filter(({ live }) => {
    left -= live;
    return left >= 0;
  });
}

/** Where everything was copied to. */
export interface Repacked {
  moved(pack: StorageKey, offset: number): Moved | undefined;
  /** Whether all that is needed of a pack lies elsewhere now. */
  isMoved(pack: StorageKey): boolean;
  readonly packs: number;
  readonly bytes: number;
}

/**
 * Copies what is needed of packs into new ones, entry by entry as they are, whatever their encoding. No map knows of the new packs yet. A pack whose entries are not what its index says
 * stays as it is.
 */
export async function repack(
  remote: Remote,
  sparse: readonly Sparse[],
  usage: Usage,
  signal: AbortSignal | undefined,
): Promise<Repacked> {
  const moves = new Map<StorageKey, ReadonlyMap<number, Moved>>();
  const made = { packs: 0, bytes: 0 };
  const open = new Map<string, NewPack>();
  const seal = async (pack: NewPack): Promise<void> => {
    const chunks = [...pack.chunks, pack.index.finish()];
    await remote.storage.put(packKey(remote.areas.own, pack.name), bodyOf(...chunks), { signal });
    made.packs++;
    made.bytes += bodyOf(...chunks).bytes;
  };
  for (const { object, index } of sparse) {
    const copied = await readEntries(remote, object, index, usage.packs.get(object.key) ?? new Map(), signal);
    if (copied === undefined) continue;
    // Packs that begin alike hold the same, in the same version.
    const id = copied.header.toString('hex');
    const moved = new Map<number, Moved>();
    for (const { row, bytes } of copied.entries) {
      let target = open.get(id) ?? newPack(copied.header);
      // The same object may have been sent twice; a pack has it once.
      if (target.has(index.raw(row)) || target.bytes + bytes.length > REMOTE_PACK_BYTES) {
        await seal(target);
        target = newPack(copied.header);
      }
      open.set(id, target);
      moved.set(index.entry(row).offset, { name: target.name, offset: target.add(index, row, bytes) });
    }
    moves.set(object.key, moved);
  }
  for (const pack of open.values()) await seal(pack);
  return { moved: (pack, offset) => moves.get(pack)?.get(offset), isMoved: (pack) => moves.has(pack), ...made };
}

interface NewPack {
  readonly name: Buffer;
  readonly index: PackIndexBuilder;
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  has(raw: Buffer): boolean;
  /** Returns the offset. */
  add(from: PackIndex, row: number, bytes: Buffer): number;
}

function newPack(header: Buffer): NewPack {
  const index = new PackIndexBuilder();
  const chunks = [header];
  const seen = new Set<string>();
  let fill = header.length;
  return {
    name: randomBytes(PACK_NAME_BYTES),
    index,
    chunks,
    get bytes() {
      return fill;
    },
    has: (raw) => seen.has(raw.toString('latin1')),
    add: (from, row, bytes) => {
      const offset = fill;
      index.add(from.raw(row), 0, { ...from.entry(row), offset });
      seen.add(from.raw(row).toString('latin1'));
      chunks.push(bytes);
      fill += bytes.length;
      return offset;
    },
  };
}

/** The needed entries of a pack, in order; `undefined` if one of them is not there as the index says. */
async function readEntries(
  { storage }: Remote,
  { key, bytes: packBytes }: ListedObject,
  index: PackIndex,
  extents: ReadonlyMap<number, number>,
  signal: AbortSignal | undefined,
): Promise<{ header: Buffer; entries: { row: number; bytes: Buffer }[] } | undefined> {
  const rows = new Map(Array.from({ length: index.count }, (_, row) => [index.entry(row).offset, row]));
  const header = await storage.get(key, { offset: 0, length: PACK_HEADER_BYTES }, { signal });
  if (header === undefined) return undefined;
  const reader = new RangeReader(storage, key, signal);
  const entries: { row: number; bytes: Buffer }[] = [];
  for (const [offset, length] of [...extents].sort(([a], [b]) => a - b)) {
    const row = rows.get(offset);
    if (row === undefined || index.entry(row).stored + OBJECT_HEADER_BYTES !== length) return undefined;
    const bytes = await reader.read(offset, length, Math.min(length, packBytes - offset));
    const digest = bytes?.subarray(OBJECT_DIGEST_OFFSET, OBJECT_DIGEST_OFFSET + 32);
    if (bytes?.length !== length || digest?.equals(index.raw(row)) !== true) return undefined;
    // Copied: the window that it lies in is larger.
    entries.push({ row, bytes: Buffer.from(bytes) });
  }
  return { header: Buffer.from(header), entries };
}
