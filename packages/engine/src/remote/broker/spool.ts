import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Body } from '../storage/port.js';

/** A body that has come whole. It can be read more than once, since who puts it somewhere may have to try again. */
export interface Spooled extends Body {
  /** SHA-256 in hex. */
  readonly sha256: string;
  /** All of it at once; for what is known to be small. */
  read(): Promise<Buffer>;
  discard(): Promise<void>;
}

const CHUNK_BYTES = 1024 * 1024;

/** Takes a body that is not trusted to come whole into a file of a private directory. Throws what the source throws, `RangeError` if it has another length than `bytes`. */
export async function spool(dir: string, source: AsyncIterable<Buffer>, bytes: number): Promise<Spooled> {
  const path = join(dir, randomUUID());
  const hash = createHash('sha256');
  let taken = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    for await (const chunk of source) {
      taken += chunk.length;
      if (taken > bytes) throw new RangeError(`more than ${bytes} bytes came`);
      hash.update(chunk);
      await file.appendFile(chunk);
    }
    if (taken < bytes) throw new RangeError(`${taken} bytes came instead of ${bytes}`);
  } catch (error) {
    await file?.close();
    await rm(path, { force: true });
    throw error;
  }
  await file.close();
  return {
    bytes,
    sha256: hash.digest('hex'),
    chunks: () => chunksOf(path),
    read: () => readFile(path),
    discard: () => rm(path, { force: true }),
  };
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
