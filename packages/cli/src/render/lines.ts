import { createProgressLines } from '@sluice/engine';
import type { Output } from '../io.js';
import type { Progress } from './progress.js';

/** Work that ends sooner than this is not told about. */
const EVERY_MS = 3000;

/** A plain line every few seconds. Of a phase that was told about, the last line has the total that was promised. */
export function createLines(output: Output, nowMs: () => number): Progress {
  const lineOf = createProgressLines(EVERY_MS);
  return {
    clear: () => undefined,
    show: (event) => {
      const line = lineOf(event, nowMs());
      if (line !== undefined) output.write(`${line}\n`);
    },
  };
}
