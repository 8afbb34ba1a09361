import type { Output } from './io.js';

/** Writes a stream of bytes, no faster than it is read, and stops it when nobody reads any more. */
export async function pour(output: Output, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (output.writeBytes === undefined) output.write(Buffer.from(chunk).toString('utf8'));
    else if (!(await output.writeBytes(chunk))) return;
  }
}

/** The bytes of texts that end with a NUL each: names as they are, for programs. */
export function* nulEnded(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(`${text}\0`);
}
