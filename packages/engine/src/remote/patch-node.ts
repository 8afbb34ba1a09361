import { SluiceError } from '../errors.js';
import { CODEC_NONE } from '../model/pack.js';
import { makePatch, type NodeBytes } from '../model/patch.js';
import { decodeNode } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import type { HaveIndex } from './have-index.js';
import type { PackPlace, PlacedChunk } from './map-builder.js';

/** Below this length a node is sent as it is: that costs less than the request that each reader needs for its base. */
const LEAST_PATCHED_BYTES = 8 * 1024;
/** What is new in a node is sent instead of it only if it is smaller than it by this factor. */
const LEAST_SAVED_FACTOR = 4;

/** What patches are made with. `placeOf`: where a node lies on the remote, or will, if that may be relied on. */
export interface PatchContext {
  readonly have: HaveIndex;
  readonly reader: ObjectReader;
  readonly placeOf: (raw: Buffer) => PackPlace | undefined;
}

/**
 * What is new in a node that the remote lacks, against the one that stood in its place before, or what that one was made of; `undefined` if it is better sent whole. The bytes have to stay valid while the
 * reader reads.
 */
export function patchNode(
  { have, reader, placeOf }: PatchContext,
  changed: NodeBytes,
  twin: Buffer | undefined,
): { readonly patch: Buffer; readonly base: PlacedChunk } | undefined {
  if (twin === undefined || changed.bytes.length < LEAST_PATCHED_BYTES) return undefined;
  for (const raw of [twin, placeOf(twin)?.patch?.base.raw ?? have.baseOf(twin)]) {
    const place = raw === undefined ? undefined : placeOf(raw);
    if (raw === undefined || place === undefined || place.codec !== CODEC_NONE) continue;
    const base = readBase(reader, raw);
    if (base === undefined || base.bytes.length !== place.stored) continue;
    const patch = makePatch(raw, base, changed);
    if (patch.length * LEAST_SAVED_FACTOR > changed.bytes.length) continue;
    return { patch, base: { raw: Buffer.from(raw), bytes: base.bytes.length, place } };
  }
  return undefined;
}

/** A base of the store; one that is not here, or damaged, is none. */
function readBase(reader: ObjectReader, raw: Buffer): NodeBytes | undefined {
  if (!reader.catalog.has('tree', raw)) return undefined;
  try {
    const bytes = reader.read('tree', raw);
    return { bytes, node: decodeNode(bytes, 'before') };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return undefined;
  }
}
