import fs, { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { RandomAccessReader } from 'yauzl';
import { readWhole } from '../../util/whole-io.js';

const CHUNK_BYTES = 64 * 1024;

/**
 * How yauzl reads an open file of `size` bytes. Its own reader takes places that the archive names to the file system as they are, and one that is no
 * place in any file then ends the process instead of being an error.
 */
export function archiveReader(Base: typeof RandomAccessReader, fd: number, size: number): RandomAccessReader {
  return new (class extends Base {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(chunksOf(fd, start, Math.min(end, size)), { objectMode: false });
    }

    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      const isInside = position >= 0 && position + length <= size;
      const read = isInside ? readWhole(fs, fd, buffer.subarray(offset, offset + length), position) : 0;
      const problem = read === length ? null : new Error('it refers to a place behind its end');
      setImmediate(() => callback(problem));
    }
  })();
}

function* chunksOf(fd: number, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, end - at));
    const read = readSync(fd, chunk, 0, chunk.length, at);
    if (read === 0) return;
    yield chunk.subarray(0, read);
    at += read;
  }
}
