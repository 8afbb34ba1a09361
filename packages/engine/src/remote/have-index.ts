import type { CutBlob } from '../model/cutter.js';
import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { OWN_KEY_BYTES, PACK_NAME_BYTES, SLICE_BYTES } from '../model/map.js';
import { BLOBS, INDEX_ENTRY_BYTES, type PackEntry, PackIndex, TREES } from '../model/pack.js';
import type { Area } from './areas.js';
import { cutsOf, cutsRecord, type HaveCuts } from './have-cuts.js';
import { HAVE_BLOB, HAVE_CUTS, HAVE_MAP, HAVE_PACK, HAVE_PATCHES, type HaveRecord } from './have-file.js';
import { type NodePatch, patchesOf, patchesRecord } from './have-patches.js';
import { blobKey, mapKey, packKey } from './keys.js';
import type { StorageKey } from './storage/port.js';

/** A pack on the remote, and those of its objects that are known here. */
export interface HavePack {
  readonly area: Area;
  /** 16 raw bytes. */
  readonly name: Buffer;
  readonly content: number;
  /** Index entries, as in a pack. */
  readonly rows: Buffer;
  readonly index: PackIndex;
}

/** A map on the remote whose nodes are known here. */
export interface HaveMap {
  readonly area: Area;
  /** 32 raw bytes. */
  readonly root: Buffer;
  /** {@link HAVE_NODE_BYTES} per node. */
  readonly nodes: Buffer;
}

/** A blob on the remote that has a key of its own. */
export interface HaveBlob {
  readonly area: Area;
  readonly raw: Buffer;
  readonly size: number;
  readonly slices: Buffer;
}

/** Where a node is held: all below it is there too. */
export interface HaveNode {
  readonly map: HaveMap;
  readonly number: number;
  readonly nodes: number;
  readonly trees: number;
}

/** A pack and the place of an object in it. */
export interface HavePlace {
  readonly pack: HavePack;
  readonly entry: PackEntry;
}

/** Bytes of a node in {@link HaveMap.nodes}: digest, u32 number, u32 nodes, u32 trees. */
export const HAVE_NODE_BYTES: number = RAW_DIGEST_BYTES + 12;

const PACK_PREFIX_BYTES = PACK_NAME_BYTES + 4;
/** Up to this many packs are searched one after another. */
const FEW_PACKS = 4;
/** Objects of a pack are fewer than this: a pack has at most 4 GiB, an object takes 90 bytes or more of it. */
const PACK_STRIDE = 2 ** 26;

/**
 * What is known to be on a remote, in memory: packs by their indexes, maps by the nodes that they hold, large blobs. Knowledge may be out of
 * date; whoever relies on it asks the remote, and forgets what is gone.
 */
export class HaveIndex {
  private readonly blobs = new PackSet();
  private readonly trees = new PackSet();
  private readonly maps = new Set<HaveMap>();
  private readonly keys = new Map<string, HaveBlob>();
  private readonly chunked = new Map<string, HaveCuts>();
  private readonly patches = new Map<string, NodePatch>();
  private nodes: DigestTable | undefined;
  private nodeList: { readonly map: HaveMap; readonly at: number }[] = [];

  /** Takes a record if it belongs to one of the areas that this writer may rely on. */
  add(record: HaveRecord, areas: readonly Area[]): void {
    if (!areas.includes(record.area)) return;
    const { area, payload } = record;
    if (record.kind === HAVE_PACK && payload.length >= PACK_PREFIX_BYTES) {
      const rows = payload.subarray(PACK_PREFIX_BYTES);
      if (rows.length % INDEX_ENTRY_BYTES !== 0) return;
      const content = payload.readUInt8(PACK_NAME_BYTES);
      const pack = { area, name: payload.subarray(0, PACK_NAME_BYTES), content, rows, index: new PackIndex(rows) };
      if (content === BLOBS) this.blobs.add(pack);
      if (content === TREES) this.trees.add(pack);
    } else if (record.kind === HAVE_MAP && (payload.length - RAW_DIGEST_BYTES) % HAVE_NODE_BYTES === 0) {
      this.maps.add({ area, root: payload.subarray(0, RAW_DIGEST_BYTES), nodes: payload.subarray(RAW_DIGEST_BYTES) });
      this.nodes = undefined;
    } else if (record.kind === HAVE_BLOB && payload.length >= RAW_DIGEST_BYTES + 8) {
      const blob = blobOf(area, payload);
      if (blob !== undefined) this.keys.set(blob.raw.toString('hex'), blob);
    } else if (record.kind === HAVE_CUTS) {
      const cuts = cutsOf(payload);
      if (cuts !== undefined) this.chunked.set(cuts.raw.toString('hex'), cuts);
    } else if (record.kind === HAVE_PATCHES) {
      for (const { raw, base } of patchesOf(payload)) this.patches.set(raw.toString('latin1'), { raw, base });
    }
  }

  /** The place of a blob or a node in a pack. */
  object(kind: 'blob' | 'tree', raw: Buffer, rawAt: number): HavePlace | undefined {
    return (kind === 'blob' ? this.blobs : this.trees).find(raw, rawAt);
  }

  /** The map that holds a node and all below it; not the map of `except`, which is about to be written. */
  node(raw: Buffer, rawAt: number, except: Buffer): HaveNode | undefined {
    const found = this.nodeTable().get(raw, rawAt);
    const place = found === undefined ? undefined : this.nodeList[found];
    if (place === undefined || place.map.root.equals(except)) return undefined;
    const { map, at } = place;
    const numberAt = at + RAW_DIGEST_BYTES;
    return {
      map,
      number: map.nodes.readUInt32LE(numberAt),
      nodes: map.nodes.readUInt32LE(numberAt + 4),
      trees: map.nodes.readUInt32LE(numberAt + 8),
    };
  }

  /** A blob that has a key of its own. */
  key(raw: Buffer, rawAt: number): HaveBlob | undefined {
    return this.keys.size === 0 ? undefined : this.keys.get(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Whether a blob is known to be there, in a pack, in chunks or under a key of its own. */
  hasBlob(raw: Buffer, rawAt: number): boolean {
    if (this.blobs.find(raw, rawAt) !== undefined || this.key(raw, rawAt) !== undefined) return true;
    return this.chunked.size > 0 && this.chunked.has(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Where a blob of a size was cut that is there in chunks; where those lie is told by {@link object}. */
  cuts(raw: Buffer, size: number): CutBlob | undefined {
    const found = this.chunked.size === 0 ? undefined : this.chunked.get(raw.toString('hex', 0, RAW_DIGEST_BYTES));
    return found?.size === size ? found.cut : undefined;
  }

  /** What a node was made of that is there as what is new in it. */
  baseOf(raw: Buffer): Buffer | undefined {
    return this.patches.get(raw.toString('latin1'))?.base;
  }

  /** Roots whose maps are known, the latest first. */
  latestRoots(): Buffer[] {
    return [...this.maps].map(({ root }) => root).reverse();
  }

  /** Whether the nodes of a root's map are known. */
  knowsMap(root: Buffer): boolean {
    return this.mapOf(root) !== undefined;
  }

  /** The map of a root. */
  mapOf(root: Buffer): HaveMap | undefined {
    return [...this.maps].find((map) => map.root.equals(root));
  }

  /** Of some things the map that became known last. */
  latestMap(among: ReadonlySet<HavePack | HaveMap | HaveBlob>): HaveMap | undefined {
    return [...this.maps].findLast((map) => among.has(map));
  }

  /** Forgets what is not on the remote any more. */
  forget(gone: HavePack | HaveMap | HaveBlob): void {
    if ('index' in gone) (gone.content === BLOBS ? this.blobs : this.trees).remove(gone);
    else if ('nodes' in gone) {
      this.maps.delete(gone);
      this.nodes = undefined;
    } else this.keys.delete(gone.raw.toString('hex'));
  }

  /** Forgets what lies under keys that are not to be relied on; returns whether there was any. */
  forgetKeys(isBad: (key: StorageKey) => boolean): boolean {
    const bad = this.things().filter((thing) => isBad(haveKey(thing)));
    for (const thing of bad) this.forget(thing);
    // A map that lies may have lied about cuts too; they are found out again.
    if (bad.length > 0) this.chunked.clear();
    return bad.length > 0;
  }

  /** Forgets everything but what is in a set: what was out of date again and again is likely to be so in more ways. */
  forgetAllBut(kept: ReadonlySet<unknown>): void {
    for (const thing of this.things()) if (!kept.has(thing)) this.forget(thing);
  }

  /** Everything, as records. */
  records(): HaveRecord[] {
    return [
      ...[...this.blobs.packs, ...this.trees.packs].map(({ area, name, content, rows }) =>
        packRecord(area, name, content, rows),
      ),
      ...[...this.maps].map(({ area, root, nodes }) => mapRecord(area, root, nodes)),
      ...[...this.keys.values()].map(blobRecord),
      ...[...this.chunked.values()].map(({ raw, size, cut }) => cutsRecord(raw, size, cut)),
      ...(this.patches.size === 0 ? [] : [patchesRecord([...this.patches.values()])]),
    ];
  }

  private things(): (HavePack | HaveMap | HaveBlob)[] {
    return [...this.blobs.packs, ...this.trees.packs, ...this.maps, ...this.keys.values()];
  }

  private nodeTable(): DigestTable {
    if (this.nodes !== undefined) return this.nodes;
    this.nodeList = [];
    this.nodes = new DigestTable();
    for (const map of this.maps) {
      for (let at = 0; at < map.nodes.length; at += HAVE_NODE_BYTES) {
        this.nodes.set(map.nodes, at, this.nodeList.length);
        this.nodeList.push({ map, at });
      }
    }
    return this.nodes;
  }
}

/** Packs of one content, and one lookup over all of them. */
class PackSet {
  packs: HavePack[] = [];
  private table: DigestTable | undefined;

  add(pack: HavePack): void {
    this.packs.push(pack);
    this.table = undefined;
  }

  remove(pack: HavePack): void {
    this.packs = this.packs.filter((other) => other !== pack);
    this.table = undefined;
  }

  find(raw: Buffer, rawAt: number): HavePlace | undefined {
    if (this.packs.length > FEW_PACKS) return this.findInTable(raw, rawAt);
    for (const pack of this.packs) {
      const row = pack.index.find(raw, rawAt);
      if (row >= 0) return { pack, entry: pack.index.entry(row) };
    }
    return undefined;
  }

  private findInTable(raw: Buffer, rawAt: number): HavePlace | undefined {
    this.table ??= this.buildTable();
    const found = this.table.get(raw, rawAt);
    if (found === undefined) return undefined;
    const pack = this.packs[Math.floor(found / PACK_STRIDE)];
    return pack === undefined ? undefined : { pack, entry: pack.index.entry(found % PACK_STRIDE) };
  }

  private buildTable(): DigestTable {
    const table = new DigestTable(this.packs.reduce((sum, pack) => sum + pack.index.count, 0));
    this.packs.forEach((pack, number) => {
      for (let row = 0; row < pack.index.count; row++) table.set(pack.index.raw(row), 0, number * PACK_STRIDE + row);
    });
    return table;
  }
}

/** Where something that is known lies on the remote. */
export function haveKey(thing: HavePack | HaveMap | HaveBlob): StorageKey {
  if ('index' in thing) return packKey(thing.area, thing.name);
  if ('nodes' in thing) return mapKey(thing.area, digestFromRaw(thing.root));
  return blobKey(thing.area, digestFromRaw(thing.raw));
}

/** The record of a pack; `rows`: index entries, sorted by digest. */
export function packRecord(area: Area, name: Buffer, content: number, rows: Buffer): HaveRecord {
  return { kind: HAVE_PACK, area, payload: Buffer.concat([name, Buffer.from([content, 0, 0, 0]), rows]) };
}

/** The record of a map; `nodes`: {@link HAVE_NODE_BYTES} each. */
export function mapRecord(area: Area, root: Buffer, nodes: Buffer): HaveRecord {
  return { kind: HAVE_MAP, area, payload: Buffer.concat([root, nodes]) };
}

/** The record of a blob that has a key of its own. */
export function blobRecord({ area, raw, size, slices }: HaveBlob): HaveRecord {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(size));
  return { kind: HAVE_BLOB, area, payload: Buffer.concat([raw, bytes, slices]) };
}

function blobOf(area: Area, payload: Buffer): HaveBlob | undefined {
  const size = Number(payload.readBigUInt64LE(RAW_DIGEST_BYTES));
  const slices = payload.subarray(RAW_DIGEST_BYTES + 8);
  if (size < OWN_KEY_BYTES || slices.length !== Math.ceil(size / SLICE_BYTES) * RAW_DIGEST_BYTES) return undefined;
  return { area, raw: payload.subarray(0, RAW_DIGEST_BYTES), size, slices };
}
