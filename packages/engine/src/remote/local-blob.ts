import { createHash } from 'node:crypto';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { SLICE_BYTES } from '../model/map.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import { readWhole } from '../util/whole-io.js';
import { damagedLocally } from './local-range.js';
import type { Body } from './storage/port.js';
import { WindowPool } from './window-pool.js';

const CHUNK_BYTES = 4 * SLICE_BYTES;

/** A large blob of the store as a body, and the digests of its slices once it has been read to its end. */
export interface LocalBlob {
  readonly body: Body;
  /** Reads the blob only for its slices. */
  readSlices(): Buffer;
  /** Valid after the body was read. */
  readonly slices: Buffer;
}

/**
 * Opens a large blob. Its bytes are compared with its digest while they are read; if they differ, the last chunk never comes and
 * `ERR_OBJECT_DAMAGED` is thrown, so a storage that was to keep them keeps nothing. The chunks lie in `memory`, which gets them back when the body is told to release
 * them. Throws `ERR_OBJECT_MISSING` if it is not there.
 */
export function localBlob(
  store: Store,
  reader: ObjectReader,
  raw: Buffer,
  rawAt: number,
  size: number,
  memory: WindowPool = new WindowPool(0),
): LocalBlob {
  const key = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
  const slices = Buffer.alloc(Math.ceil(size / SLICE_BYTES) * RAW_DIGEST_BYTES);
  const path = reader.linkable(key)?.path;
  function* chunks(): Generator<Buffer> {
    const whole = createHash('sha256');
    const source = path === undefined ? [Buffer.from(reader.read('blob', key))] : fileChunks(store, path, memory);
    let at = 0;
    let last: Buffer | undefined;
    for (const chunk of source) {
      if (last !== undefined) yield last;
      whole.update(chunk);
      for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
        const slice = createHash('sha256')
          .update(chunk.subarray(from, from + SLICE_BYTES))
          .digest();
        slice.copy(slices, Math.floor((at + from) / SLICE_BYTES) * RAW_DIGEST_BYTES);
      }
      at += chunk.length;
      last = chunk;
    }
    if (at !== size || !whole.digest().equals(key)) throw damagedLocally(key);
    if (last !== undefined) yield last;
  }
  const release = (chunk: Buffer): void => {
    if (memory.owns(chunk)) memory.release(chunk);
  };
  return {
    body: { bytes: size, chunks, release },
    readSlices: () => {
      for (const chunk of chunks()) release(chunk);
      return slices;
    },
    slices,
  };
}

function* fileChunks(store: Store, path: string, memory: WindowPool): Generator<Buffer> {
  const fd = store.files.openSync(path, 'r');
  try {
    for (;;) {
      // Another buffer each time: whoever gets it may hold on to it while the next one is read.
      const chunk = memory.allocate(CHUNK_BYTES);
      const fill = readWhole(store.files, fd, chunk);
      if (fill > 0) yield chunk.subarray(0, fill);
      if (fill < chunk.length) return;
    }
  } finally {
    store.files.closeSync(fd);
  }
}
