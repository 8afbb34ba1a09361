import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { IN_PACK, LOCATION_BYTES, readLocation } from '../model/map.js';
import { BLOB, BLOBS, NODE, NODE_PART, PackIndexBuilder, TREES } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { PART, TREE } from '../model/tree.js';
import type { Store } from '../store/store.js';
import type { Area } from './areas.js';
import type { HaveRecord } from './have-file.js';
import { HAVE_NODE_BYTES, mapRecord, packRecord } from './have-index.js';
import type { Remote } from './remote.js';
import { OpenMaps, type RemoteMap } from './remote-map.js';
import { RemoteNodes } from './remote-nodes.js';
import { walkMap } from './walk-map.js';

/**
 * What the map of a root says to be on the remote, as records for the have-index; nothing if there is no map of an area that may be relied on, or
 * it cannot be read: then more is sent than necessary, and that is all.
 */
export async function learnMap(
  remote: Remote,
  store: Store,
  root: OutRoot,
  signal: AbortSignal | undefined,
): Promise<HaveRecord[]> {
  if (root.kind !== 'tree') return [];
  const maps = new OpenMaps(remote, 'all', signal);
  try {
    const map = await maps.inFirst(remote.areas.proof, root.digest);
    return map === undefined ? [] : await recordsOf(remote, store, root, map, maps, signal);
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : '';
    if (
      [
        'ERR_MAP_INVALID',
        'ERR_TREE_INVALID',
        'ERR_OBJECT_MISSING',
        'ERR_OBJECT_DAMAGED',
        'ERR_FORMAT_VERSION',
      ].includes(code)
    )
      return [];
    throw error;
  }
}

async function recordsOf(
  remote: Remote,
  store: Store,
  root: OutRoot,
  map: RemoteMap,
  maps: OpenMaps,
  signal: AbortSignal | undefined,
): Promise<HaveRecord[]> {
  const packs = new Map<string, KnownPack>();
  const nodes: Buffer[] = [];
  const walk = { maps, nodes: new RemoteNodes(remote.storage, signal), reader: store.reader };
  for await (const { raw, node, spot, locations } of walkMap(walk, map, root)) {
    const { row, map: holder, number } = spot;
    const kind = node.shape === PART ? NODE_PART : NODE;
    packOf(packs, holder, row.place, TREES).add(raw, 0, { ...row, kind });
    if (holder === map) nodes.push(noteOf(raw, number, row.nodes, row.trees));
    let at = 0;
    for (let i = 0; i < node.kinds.length; i++) {
      if (node.kinds[i] === TREE) continue;
      const location = readLocation(locations, at, holder.front, holder.where);
      at += LOCATION_BYTES;
      if (location.how !== IN_PACK) continue;
      const { offset, stored, codec } = location;
      packOf(packs, holder, location.pack, BLOBS).add(node.digests, i * RAW_DIGEST_BYTES, {
        offset,
        stored,
        full: node.sizes[i] ?? 0,
        codec,
        kind: BLOB,
      });
    }
  }
  const known = [...packs.values()].map(({ area, name, content, builder }) =>
    packRecord(area, name, content, builder.rows()),
  );
  return [...known, mapRecord(map.area, rawOf(root.digest), Buffer.concat(nodes))];
}

interface KnownPack {
  readonly area: Area;
  readonly name: Buffer;
  readonly content: number;
  readonly builder: PackIndexBuilder;
  readonly seen: Set<number>;
  add(
    raw: Buffer,
    rawAt: number,
    entry: { offset: number; stored: number; full: number; codec: number; kind: number },
  ): void;
}

function packOf(packs: Map<string, KnownPack>, map: RemoteMap, place: number, content: number): KnownPack {
  const key = `${map.packKey(place)} ${content}`;
  const known = packs.get(key);
  if (known !== undefined) return known;
  const named = map.front.packs[place];
  const builder = new PackIndexBuilder();
  const seen = new Set<number>();
  const pack: KnownPack = {
    area: map.areaOf(named?.area ?? 0),
    name: named?.raw ?? Buffer.alloc(0),
    content,
    builder,
    seen,
    add: (raw, rawAt, entry) => {
      // Twins lie at the same place.
      if (seen.has(entry.offset)) return;
      seen.add(entry.offset);
      builder.add(raw, rawAt, entry);
    },
  };
  packs.set(key, pack);
  return pack;
}

function noteOf(raw: Buffer, number: number, nodes: number, trees: number): Buffer {
  const note = Buffer.alloc(HAVE_NODE_BYTES);
  raw.copy(note);
  note.writeUInt32LE(number, RAW_DIGEST_BYTES);
  note.writeUInt32LE(nodes, RAW_DIGEST_BYTES + 4);
  note.writeUInt32LE(trees, RAW_DIGEST_BYTES + 8);
  return note;
}
