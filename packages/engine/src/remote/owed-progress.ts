import type { Advance } from '../util/progress.js';
import type { Body } from './storage/port.js';

/** Files and bytes that count as done when something that is on its way has arrived. */
export class OwedProgress {
  private readonly all = new Map<Advance, { files: number; bytes: number }>();

  add(advance: Advance, files: number, bytes: number): void {
    const owed = this.all.get(advance);
    if (owed === undefined) this.all.set(advance, { files, bytes });
    else {
      owed.files += files;
      owed.bytes += bytes;
    }
  }

  /** It has arrived. Safe to call twice. */
  pay(): void {
    for (const [advance, { files, bytes }] of this.all) advance(files, bytes);
    this.all.clear();
  }
}

/** Tells of the bytes of a body as they are read, each once, however often the body is read from its front. */
export function counted(
  body: Body,
  advance: Advance | undefined,
): { readonly body: Body; readonly told: () => number } {
  let told = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    let at = 0;
    for await (const chunk of body.chunks()) {
      yield chunk;
      // Whoever asks for the next chunk has taken this one.
      at += chunk.length;
      const done = Math.min(at, body.bytes);
      if (done > told) advance?.(0, done - told);
      told = Math.max(told, done);
    }
  }
  return { body: { ...body, chunks }, told: () => told };
}
