import { createRate, progressText } from '@sluice/engine';
import type { Output } from '../io.js';
import { isLast, type Progress } from './progress.js';

/** Work that ends sooner than this is not told about. */
const EVERY_MS = 3000;

/** A plain line every few seconds. Of a phase that was told about, the last line has the total that was promised. */
export function createLines(output: Output, nowMs: () => number): Progress {
  let phase = '';
  let toldMs = 0;
  let isTold = false;
  const rateOf = createRate();
  return {
    clear: () => undefined,
    show: (event) => {
      const now = nowMs();
      const rate = rateOf(event, now);
      const key = `${event.phase} ${event.subject}`;
      if (key !== phase) {
        phase = key;
        toldMs = now;
        isTold = false;
      }
      const last = isLast(event);
      if (last ? !isTold : now - toldMs < EVERY_MS) return;
      toldMs = now;
      isTold = !last;
      output.write(`${progressText(event, rate)}\n`);
    },
  };
}
