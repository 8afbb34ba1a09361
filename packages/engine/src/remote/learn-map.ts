import { readBase } from '../model/base.js';
import type { ChunkRow } from '../model/chunk.js';
import type { CutBlob } from '../model/cutter.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { IN_CHUNKS, IN_PACK, LOCATION_BYTES, PATCHED, readLocation, SLICE_BYTES } from '../model/map.js';
import { BLOB, BLOBS, isKnownCodec, NODE, NODE_PART, type PackEntry, PackIndexBuilder, TREES } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { PART, TREE } from '../model/tree.js';
import type { Area } from './areas.js';
import { cutsRecord } from './have-cuts.js';
import type { HaveRecord } from './have-file.js';
import { blobRecord, HAVE_NODE_BYTES, type HaveIndex, mapRecord, packRecord } from './have-index.js';
import { type NodePatch, patchesRecord } from './have-patches.js';
import { NOTED_FILES } from './map-builder.js';
import type { RemoteMap, SettledSpot } from './remote-map.js';
import { type MapWalk, walkMap } from './walk-map.js';

/**
 * What the map of a root says to be on the remote, as records for the have-index. What the have-index knows already is neither read nor recorded
 * again. Throws `ERR_MAP_INVALID`, `ERR_TREE_INVALID`, `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`.
 */
export async function learnMap(
  walk: MapWalk & { readonly have: HaveIndex },
  map: RemoteMap,
  root: OutRoot,
): Promise<HaveRecord[]> {
  const lessons = new Lessons(walk.have);
  if (root.kind === 'blob') {
    await lessons.blob(map, await map.locations(0, 1), 0, rawOf(root.digest), 0, root.bytes);
    return lessons.records(map);
  }
  const isKnown = (raw: Buffer): boolean => walk.have.node(raw, 0, NO_ROOT) !== undefined;
  for await (const { raw, node, spot, readLocations } of walkMap({ ...walk, isKnown }, map, root)) {
    lessons.node(spot, raw, node.shape === PART, node.totalFiles);
    const locations = await readLocations();
    let at = 0;
    for (let i = 0; i < node.kinds.length; i++) {
      if (node.kinds[i] === TREE) continue;
      const wait = lessons.blob(spot.map, locations, at, node.digests, i * RAW_DIGEST_BYTES, node.sizes[i] ?? 0);
      if (wait !== undefined) await wait;
      at += LOCATION_BYTES;
    }
  }
  return lessons.records(map);
}

function cutBlobOf(rows: readonly ChunkRow[]): CutBlob {
  return { lengths: Uint32Array.from(rows, ({ bytes }) => bytes), digests: Buffer.concat(rows.map(({ raw }) => raw)) };
}

const NO_ROOT = Buffer.alloc(RAW_DIGEST_BYTES);

/** What was learnt, by pack and by map. */
class Lessons {
  private readonly have: HaveIndex;
  private readonly packs = new Map<string, { area: Area; name: Buffer; content: number; rows: PackIndexBuilder }>();
  private readonly maps = new Map<RemoteMap, Buffer[]>();
  private readonly seen = { blob: new DigestTable(), tree: new DigestTable(), node: new DigestTable() };
  private readonly patches: NodePatch[] = [];
  private readonly large: HaveRecord[] = [];

  constructor(have: HaveIndex) {
    this.have = have;
  }

  node(spot: SettledSpot, raw: Buffer, part: boolean, files: number): void {
    const { map, number, row } = spot;
    const kind = part ? NODE_PART : NODE;
    if (row.how === PATCHED) this.base(spot, raw, kind);
    else if (isKnownCodec(row.codec)) this.plainNode(map, raw, row.place, { ...row, kind });
    else return;
    if (!this.seen.node.set(raw)) return;
    if (files < NOTED_FILES && !part) return;
    const note = Buffer.alloc(HAVE_NODE_BYTES);
    raw.copy(note);
    note.writeUInt32LE(number, RAW_DIGEST_BYTES);
    note.writeUInt32LE(row.nodes, RAW_DIGEST_BYTES + 4);
    note.writeUInt32LE(row.trees, RAW_DIGEST_BYTES + 8);
    const notes = this.maps.get(map);
    if (notes === undefined) this.maps.set(map, [note]);
    else notes.push(note);
  }

  /** A patched node is no base for others, but what it was made of is. */
  private base({ map, number }: SettledSpot, raw: Buffer, kind: number): void {
    const base = readBase(map.front, map.front.nodes.find(number), map.where);
    const own = Buffer.from(base.raw);
    this.plainNode(map, own, base.pack, { ...base, full: base.bytes, kind });
    this.patches.push({ raw, base: own });
  }

  private plainNode(map: RemoteMap, raw: Buffer, place: number, entry: PackEntry): void {
    if (!this.seen.tree.set(raw) || this.have.object('tree', raw, 0) !== undefined) return;
    const { offset, stored, full, codec, kind } = entry;
    this.pack(map, place, TREES).add(raw, 0, { offset, stored, full, codec, kind });
  }

  /** Returns a promise only for a large blob, whose slices have to be read. */
  blob(map: RemoteMap, rows: Buffer, at: number, raw: Buffer, rawAt: number, size: number): Promise<void> | undefined {
    const location = readLocation(rows, at, map.front, map.where);
    if (!isKnownCodec(location.codec) || !this.seen.blob.set(raw, rawAt)) return undefined;
    if (location.how === IN_CHUNKS) return this.inChunks(map, location, raw, rawAt, size);
    if (location.how !== IN_PACK) {
      return this.have.key(raw, rawAt) === undefined ? this.ownKey(map, location, raw, rawAt, size) : undefined;
    }
    if (this.have.object('blob', raw, rawAt) !== undefined) return undefined;
    const { offset, stored, codec, pack } = location;
    this.pack(map, pack, BLOBS).add(raw, rawAt, { offset, stored, full: size, codec, kind: BLOB });
    return undefined;
  }

  /** `learnt`: the map is recorded even if nothing in it was new, so that it is not read again. */
  records(learnt: RemoteMap): HaveRecord[] {
    if (!this.maps.has(learnt)) this.maps.set(learnt, []);
    return [
      ...[...this.packs.values()].map(({ area, name, content, rows }) => packRecord(area, name, content, rows.rows())),
      ...[...this.maps].map(([map, notes]) => mapRecord(map.area, rawOf(map.root), Buffer.concat(notes))),
      ...this.large,
      ...(this.patches.length === 0 ? [] : [patchesRecord(this.patches)]),
    ];
  }

  private async ownKey(
    map: RemoteMap,
    location: { readonly offset: number; readonly area: number },
    raw: Buffer,
    rawAt: number,
    size: number,
  ): Promise<void> {
    const slices = await map.slices(location.offset, Math.ceil(size / SLICE_BYTES));
    const own = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
    this.large.push(blobRecord({ area: map.areaOf(location.area), raw: own, size, slices }));
  }

  private async inChunks(
    map: RemoteMap,
    { offset: first, stored: count }: { readonly offset: number; readonly stored: number },
    raw: Buffer,
    rawAt: number,
    size: number,
  ): Promise<void> {
    const rows = await map.chunksOf(size, first, count);
    for (const { raw: chunk, bytes, pack, offset, stored, codec } of rows) {
      if (!isKnownCodec(codec)) return;
      if (!this.seen.blob.set(chunk) || this.have.object('blob', chunk, 0) !== undefined) continue;
      this.pack(map, pack, BLOBS).add(chunk, 0, { offset, stored, full: bytes, codec, kind: BLOB });
    }
    const own = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
    if (this.have.cuts(own, size) === undefined) this.large.push(cutsRecord(own, size, cutBlobOf(rows)));
  }

  private pack(map: RemoteMap, place: number, content: number): PackIndexBuilder {
    const key = `${map.packKey(place)} ${content}`;
    const known = this.packs.get(key);
    if (known !== undefined) return known.rows;
    const named = map.front.packs[place];
    const rows = new PackIndexBuilder();
    this.packs.set(key, { area: map.areaOf(named?.area ?? 0), name: named?.raw ?? Buffer.alloc(0), content, rows });
    return rows;
  }
}
