import { type Digest, hexOf } from '../model/digest.js';
import { isArea } from '../model/record.js';
import { type Area, parseArea } from './areas.js';
import { type StorageKey, storageKey } from './storage/port.js';

/*
 * Every key of a remote:
 *
 *     format
 *     <area>/packs/<32 hex>.pack          <area>/maps/ab/<62 hex>.map
 *     <area>/blobs/ab/<62 hex>            <area>/records/ab/<62 hex>.json
 *     <area>/gc/condemned.json            <area>/gc/holds/<32 hex>
 *     <area>/gc/receipts/<32 hex>.json
 */

/** A key as messages name it: the address of a remote may end with its endpoint, so the key does not go behind it. */
export function placeOf(key: StorageKey, description: string): string {
  return `${key} on ${description}`;
}

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

/** What the next collection of an area deletes. */
export function condemnedKey(area: Area): StorageKey {
  return storageKey(`${area}/gc/condemned.json`);
}

/** Where all of an area lies. */
export function areaFolder(area: Area): StorageKey {
  return storageKey(area);
}

/** Where those who collect an area show themselves. */
export function holdsFolder(area: Area): StorageKey {
  return storageKey(`${area}/gc/holds`);
}

/** There while somebody collects an area; `name`: 16 random bytes. */
export function holdKey(area: Area, name: Buffer): StorageKey {
  return storageKey(`${holdsFolder(area)}/${name.toString('hex')}`);
}

/** Says what a collection deleted; `name`: 16 random bytes. */
export function receiptKey(area: Area, name: Buffer): StorageKey {
  return storageKey(`${area}/gc/receipts/${name.toString('hex')}.json`);
}

/** What a key of a remote names. */
export interface KeyParts {
  readonly area: Area;
  readonly kind: 'packs' | 'maps' | 'blobs' | 'records';
  /** Raw name of a pack, else a raw digest. */
  readonly raw: Buffer;
}

const PARTS =
  /^(trusted|shared|pr\/[1-9][0-9]*)\/(?:(packs)\/([0-9a-f]{32})\.pack|(maps|blobs|records)\/([0-9a-f]{2})\/([0-9a-f]{62})(\.map|\.json)?)$/;
const ENDINGS: Readonly<Record<string, string>> = { maps: '.map', blobs: '', records: '.json' };

/** `undefined` for a key that names no pack, map, blob or record. */
export function parseKey(key: StorageKey): KeyParts | undefined {
  const [, area = '', packs, name = '', kind = '', head = '', rest = '', ending = ''] = PARTS.exec(key) ?? [];
  if (area === '' || !isArea(area)) return undefined;
  if (packs !== undefined) return { area: parseArea(area), kind: 'packs', raw: Buffer.from(name, 'hex') };
  if (ENDINGS[kind] !== ending) return undefined;
  return { area: parseArea(area), kind: kind as KeyParts['kind'], raw: Buffer.from(head + rest, 'hex') };
}

function fannedOut(digest: Digest): string {
  const hex = hexOf(digest);
  return `${hex.slice(0, 2)}/${hex.slice(2)}`;
}
