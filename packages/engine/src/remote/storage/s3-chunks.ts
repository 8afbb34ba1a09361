import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SluiceError, throwIfAborted } from '../../errors.js';
import type { Body } from './port.js';

/** Bytes in memory, in pieces. */
export interface Chunks {
  readonly bytes: number;
  readonly pieces: readonly Buffer[];
  /** They are not needed any more. */
  release(): void;
}

/** Pieces go out in this size, so that it shows how a large body gets on. */
const PIECE_BYTES = 256 * 1024;

/** A body as parts of `partBytes` each but the last; none of an empty body. Throws what the body throws, and `ERR_INTERNAL` before the last part if its length is not what it says. */
export async function* partsOf(
  body: Body,
  partBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunks, void, undefined> {
  let pieces: Buffer[] = [];
  let whole: Buffer[] = [];
  let bytes = 0;
  let before = 0;
  const part = (): Chunks => {
    // Of a chunk that lies in two parts, neither knows when the other is done.
    const own = whole;
    const release = (): void => {
      for (const chunk of own) body.release?.(chunk);
    };
    return { bytes, pieces, release };
  };
  for await (const chunk of body.chunks()) {
    throwIfAborted(signal);
    for (let at = 0; at < chunk.length; ) {
      if (bytes === partBytes) {
        yield part();
        before += bytes;
        [pieces, whole, bytes] = [[], [], 0];
      }
      const piece = chunk.subarray(at, at + partBytes - bytes);
      pieces.push(piece);
      if (piece.length === chunk.length) whole.push(chunk);
      bytes += piece.length;
      at += piece.length;
    }
    if (before + bytes > body.bytes) break;
  }
  throwIfAborted(signal);
  if (before + bytes !== body.bytes) {
    throw new SluiceError('ERR_INTERNAL', `a body of ${body.bytes} bytes gave ${before + bytes}`);
  }
  if (bytes > 0) yield part();
}

/** The whole of a body. Throws like {@link partsOf}. */
export async function wholeOf(body: Body, signal: AbortSignal | undefined): Promise<Chunks> {
  for await (const part of partsOf(body, Number.POSITIVE_INFINITY, signal)) return part;
  return { bytes: 0, pieces: [], release: () => undefined };
}

/** SHA-256 in hex. */
export function sha256Of({ pieces }: Chunks): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** A stream of the bytes; `moved` is called as they leave. */
export function streamOf({ pieces }: Chunks, moved: () => void): Readable {
  function* small(): Generator<Buffer> {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += PIECE_BYTES) {
        moved();
        yield piece.subarray(at, at + PIECE_BYTES);
      }
    }
  }
  return Readable.from(small(), { objectMode: false, highWaterMark: PIECE_BYTES });
}
