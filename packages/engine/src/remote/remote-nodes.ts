import { hash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { readBase } from '../model/base.js';
import { digestFromRaw, RAW_DIGEST_BYTES, shortDigest } from '../model/digest.js';
import { PATCHED } from '../model/map.js';
import { CODEC_NONE, CODEC_PATCH, isKnownCodec, OBJECT_HEADER_BYTES } from '../model/pack.js';
import { applyPatch } from '../model/patch.js';
import { MAX_NODE_BYTES } from '../model/tree.js';
import { RangeReader } from './range-reader.js';
import type { SettledSpot } from './remote-map.js';
import type { Storage, StorageKey } from './storage/port.js';

/** Reads tree nodes from the packs of a remote; what comes is compared with the digest that the tree above gives. */
export class RemoteNodes {
  private readonly storage: Storage;
  private readonly signal: AbortSignal | undefined;
  private readonly cameBase: ((raw: Buffer, bytes: Buffer) => void) | undefined;
  private readonly readers = new Map<StorageKey, RangeReader>();

  /** `cameBase`: told of each base that is read on the way to another node. */
  constructor(
    storage: Storage,
    signal: AbortSignal | undefined,
    cameBase?: ((raw: Buffer, bytes: Buffer) => void) | undefined,
  ) {
    this.storage = storage;
    this.signal = signal;
    this.cameBase = cameBase;
  }

  /** The bytes of a node; they stay valid. Throws `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED`, `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
  async read(spot: SettledSpot, raw: Buffer, rawAt: number): Promise<Buffer> {
    const { map, row } = spot;
    const key = map.packKey(row.place);
    const codec = row.how === PATCHED ? CODEC_PATCH : CODEC_NONE;
    if (row.codec !== codec) expectCodec(row.codec, map.where);
    if (row.codec !== codec || row.stored > MAX_NODE_BYTES) throw damagedAt(this.storage, key, 'tree', raw, rawAt);
    const stored = await this.stored(key, row, map.aheadOfNode(row));
    if (stored === undefined) throw missingAt(this.storage, key, 'tree', raw, rawAt);
    const bytes = row.how === PATCHED ? await this.patched(spot, stored) : stored;
    if (bytes === undefined || !hasDigest(bytes, raw, rawAt)) throw damagedAt(this.storage, key, 'tree', raw, rawAt);
    return bytes;
  }

  private async patched({ map, number, row }: SettledSpot, patch: Buffer): Promise<Buffer | undefined> {
    const base = readBase(map.front, map.front.nodes.find(number), map.where);
    const key = map.packKey(base.pack);
    const bytes = await this.stored(key, base, 0);
    if (bytes === undefined) throw missingAt(this.storage, key, 'tree', base.raw, 0);
    if (!hasDigest(bytes, base.raw, 0)) throw damagedAt(this.storage, key, 'tree', base.raw, 0);
    this.cameBase?.(base.raw, bytes);
    return applyPatch(patch, base.raw, bytes, row.full);
  }

  private stored(
    key: StorageKey,
    { offset, stored }: { readonly offset: number; readonly stored: number },
    ahead: number,
  ): Promise<Buffer | undefined> {
    return this.reader(key).read(offset + OBJECT_HEADER_BYTES, stored, ahead);
  }

  private reader(key: StorageKey): RangeReader {
    const known = this.readers.get(key);
    if (known !== undefined) return known;
    // One window each: a walk stays in one or two packs at a time.
    if (this.readers.size >= MOST_READERS) this.readers.clear();
    const reader = new RangeReader(this.storage, key, this.signal);
    this.readers.set(key, reader);
    return reader;
  }
}

const MOST_READERS = 4;

/** Throws `ERR_FORMAT_VERSION` for a codec that this version cannot read. */
export function expectCodec(codec: number, where: string): void {
  if (isKnownCodec(codec)) return;
  throw new SluiceError('ERR_FORMAT_VERSION', `${where} uses a codec that is not known`, {
    hint: 'Update Sluice in this workspace.',
  });
}

/** Whether bytes have the digest at `rawAt`. */
export function hasDigest(bytes: Buffer, raw: Buffer, rawAt: number): boolean {
  return hash('sha256', bytes, 'hex') === raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES);
}

/** The error for bytes on a remote that are not those of their digest. */
export function damagedAt(storage: Storage, key: StorageKey, kind: string, raw: Buffer, rawAt: number): SluiceError {
  const digest = digestFromRaw(raw, rawAt);
  return new SluiceError(
    'ERR_OBJECT_DAMAGED',
    `${kind} ${shortDigest(digest)} is damaged on ${storage.description} (${key})`,
    {
      hint: 'Push it again with `sluice push --verify` from a workspace that has it, or run the stage again.',
      details: { digest, remote: storage.description, key },
    },
  );
}

/** The error for an object whose place on a remote is gone. */
export function missingAt(storage: Storage, key: StorageKey, kind: string, raw: Buffer, rawAt: number): SluiceError {
  const digest = digestFromRaw(raw, rawAt);
  return new SluiceError(
    'ERR_OBJECT_MISSING',
    `${kind} ${shortDigest(digest)} is not on ${storage.description} (${key} is gone)`,
    {
      hint: 'Push it again with `sluice push --verify` from a workspace that has it, or run the stage again.',
      details: { digest, remote: storage.description, key },
    },
  );
}
