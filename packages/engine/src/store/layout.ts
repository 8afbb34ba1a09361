import { join } from 'node:path';
import { type Digest, hexOf } from '../model/digest.js';

/** A blob, or a node of a tree; a tree is looked for among trees only. */
export type ObjectKind = 'blob' | 'tree';

/** A blob of at least this size is loose, so that it can be linked or cloned (`docs/adr/0001-loose-and-packed.md`). */
export const LOOSE_BYTES: number = 64 * 1024;

/** A write with at least this many small objects puts them into a pack (`docs/adr/0001-loose-and-packed.md`). */
export const PACK_COUNT = 64;

/** A writer begins another pack when one has reached this size. */
export const PACK_TARGET_BYTES: number = 64 * 1024 * 1024;

/** The version of the layout, as it stands in `version`. */
export const STORE_VERSION = 1;

/**
 * Every path inside a store:
 *
 *     version                    packs/<32 hex>.pack        leases/<owner>
 *     objects/ab/<62 hex>        records/ab/<62 hex>.json   locks/<name>/<owner>
 *     objects/ab/<62 hex>.tree   kept/<64 hex>.json         tmp/<owner>/
 *     index/                     workspaces/<id>.json       trash/<id>/      damaged/
 *     transfers/<kind>.<64 hex>.<owner>
 */
export interface Layout {
  readonly dir: string;
  readonly version: string;
  readonly objects: string;
  readonly packs: string;
  readonly records: string;
  readonly kept: string;
  readonly index: string;
  readonly leases: string;
  readonly locks: string;
  readonly workspaces: string;
  readonly tmp: string;
  readonly transfers: string;
  readonly trash: string;
  readonly damaged: string;
}

export function storeLayout(dir: string): Layout {
  return {
    dir,
    version: join(dir, 'version'),
    objects: join(dir, 'objects'),
    packs: join(dir, 'packs'),
    records: join(dir, 'records'),
    kept: join(dir, 'kept'),
    index: join(dir, 'index'),
    leases: join(dir, 'leases'),
    locks: join(dir, 'locks'),
    workspaces: join(dir, 'workspaces'),
    tmp: join(dir, 'tmp'),
    transfers: join(dir, 'transfers'),
    trash: join(dir, 'trash'),
    damaged: join(dir, 'damaged'),
  };
}

/** Name of a loose object below `objects/`: `ab/<62 hex>` with `.tree` for a node. */
export function looseName(kind: ObjectKind, hex: string): string {
  return `${hex.slice(0, 2)}/${hex.slice(2)}${kind === 'tree' ? '.tree' : ''}`;
}

/** Path of a record. */
export function recordPath(layout: Layout, fingerprint: Digest): string {
  const hex = hexOf(fingerprint);
  return join(layout.records, hex.slice(0, 2), `${hex.slice(2)}.json`);
}
