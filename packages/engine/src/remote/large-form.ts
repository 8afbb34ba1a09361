import { samplesCompress } from '../model/compress.js';
import { CONTENT_CUT_BYTES, type Cuts } from '../model/cutter.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import { openLocalRanges } from './local-range.js';
import type { Encoding } from './remote.js';

const SAMPLES = 4;
const SAMPLE_BYTES = 64 * 1024;

/**
 * How a blob of 8 MiB or more is sent that the remote does not have: under a key of its own, or in chunks with these cuts. What compresses goes in chunks, for a compressed
 * whole could not be read by range. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`.
 */
export function largeForm(
  { compression, chunking }: Encoding,
  store: Store,
  reader: ObjectReader,
  raw: Buffer,
  size: number,
): 'own-key' | Cuts {
  if (chunking && size > CONTENT_CUT_BYTES) return 'content';
  if (compression === 'none') return 'own-key';
  const blob = openLocalRanges(store, reader, raw);
  try {
    const samples = Array.from({ length: SAMPLES }, (_, i) =>
      blob.read(Math.floor(((size - SAMPLE_BYTES) * i) / (SAMPLES - 1)), SAMPLE_BYTES),
    );
    return samplesCompress(samples) ? 'even' : 'own-key';
  } finally {
    blob.close();
  }
}
