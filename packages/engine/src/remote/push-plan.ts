import { RAW_DIGEST_BYTES } from '../model/digest.js';
import {
  type BlobLocation,
  encodeMap,
  IN_MAP,
  IN_PACK,
  LOCATION_BYTES,
  type MapName,
  NODE_ROW_BYTES,
  type NodeRow,
  OWN_KEY,
  writeLocation,
  writeNodeRow,
} from '../model/map.js';
import { CODEC_NONE } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { rawOf } from '../model/digest.js';
import { type Area, areaNumber } from './areas.js';
import { HAVE_NODE_BYTES, type HaveBlob, type HaveMap, type HavePack } from './have-index.js';

/** A place in a pack, of the remote or about to be sent. */
export interface PackPlace {
  readonly pack: PackRef;
  readonly offset: number;
  readonly stored: number;
}

/** A pack by its area and raw name; `have` if it was there before this push. */
export interface PackRef {
  readonly area: Area;
  readonly name: Buffer;
  readonly have: HavePack | undefined;
}

/** Only nodes with this many files below are worth a reference of their own later. */
const NOTED_FILES = 16;

/** Collects the rows, locations and tables of one root's map in the order of the walk. */
export class MapBuilder {
  /** What the map relies on that this push did not write. */
  readonly relied: Set<HavePack | HaveMap | HaveBlob> = new Set();
  private readonly packs = new Table();
  private readonly maps = new Table();
  private readonly rows: NodeRow[] = [];
  private readonly locations: Buffer[] = [];
  private readonly slices: Buffer[] = [];
  private readonly noted: Buffer[] = [];
  private locationCount = 0;
  private sliceCount = 0;
  private number = 0;

  /** A subtree that another map holds. */
  addReference(map: HaveMap, number: number, nodes: number, trees: number): void {
    this.relied.add(map);
    const place = this.maps.of(map.area, map.root);
    const rest = { codec: CODEC_NONE, stored: 0, full: 0, firstLocation: this.locationCount, locations: 0 };
    this.rows.push({ how: IN_MAP, place, offset: number, nodes, trees, ...rest });
    this.number += nodes;
  }

  /** Begins a node; {@link endNode} completes it when all below it was added. */
  beginNode(place: PackPlace): { readonly row: number; readonly number: number } {
    this.rows.push({
      how: IN_PACK,
      codec: CODEC_NONE,
      place: this.packNumber(place),
      offset: place.offset,
      stored: place.stored,
      full: place.stored,
      nodes: 1,
      trees: 1,
      firstLocation: this.locationCount,
      locations: 0,
    });
    return { row: this.rows.length - 1, number: this.number++ };
  }

  endNode({ row, number }: { row: number; number: number }, raw: Buffer, isPart: boolean, files: number): void {
    const begun = this.rows[row];
    if (begun === undefined) return;
    let trees = isPart ? 0 : 1;
    for (let i = row + 1, below = number + 1; i < this.rows.length; i++) {
      const child = this.rows[i];
      if (child === undefined) break;
      // Only the rows right below: each child counts what lies below it.
      if (below !== this.numberOf(i)) continue;
      trees += child.trees;
      below += child.nodes;
    }
    const nodes = this.number - number;
    this.rows[row] = { ...begun, nodes, trees, locations: this.locationCount - begun.firstLocation };
    if (files < NOTED_FILES) return;
    const noted = Buffer.alloc(HAVE_NODE_BYTES);
    raw.copy(noted);
    noted.writeUInt32LE(number, RAW_DIGEST_BYTES);
    noted.writeUInt32LE(nodes, RAW_DIGEST_BYTES + 4);
    noted.writeUInt32LE(trees, RAW_DIGEST_BYTES + 8);
    this.noted.push(noted);
  }
}
