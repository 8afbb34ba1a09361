import { type Digest, hexOf } from '../model/digest.js';
import type { Area } from './areas.js';
import { type StorageKey, storageKey } from './storage/port.js';

/*
 * Every key of a remote:
 *
 *     format
 *     <area>/packs/<32 hex>.pack          <area>/maps/ab/<62 hex>.map
 *     <area>/blobs/ab/<62 hex>            <area>/records/ab/<62 hex>.json
 */

/** Says which format the remote has. */
export const FORMAT_KEY: StorageKey = storageKey('format');

/** `name`: the pack's raw name. */
export function packKey(area: Area, name: Buffer): StorageKey {
  return storageKey(`${area}/packs/${name.toString('hex')}.pack`);
}

export function mapKey(area: Area, root: Digest): StorageKey {
  return storageKey(`${area}/maps/${fannedOut(root)}.map`);
}

/** The key of a blob that has one of its own. */
export function blobKey(area: Area, digest: Digest): StorageKey {
  return storageKey(`${area}/blobs/${fannedOut(digest)}`);
}

export function recordKey(area: Area, fingerprint: Digest): StorageKey {
  return storageKey(`${area}/records/${fannedOut(fingerprint)}.json`);
}

function fannedOut(digest: Digest): string {
  const hex = hexOf(digest);
  return `${hex.slice(0, 2)}/${hex.slice(2)}`;
}
