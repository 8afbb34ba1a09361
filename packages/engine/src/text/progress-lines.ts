import type { SluiceEvent } from '../events.js';
import { progressText } from './messages.js';
import { createRate } from './rate.js';

type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/**
 * Makes a function that gives the lines of progress that are worth telling: one each `everyMs`, and of a phase that was told about the last, which has the total that was promised. Work
 * that ends sooner is not told about. It is given each event, with the time, in order.
 */
export function createProgressLines(everyMs: number): (event: ProgressEvent, nowMs: number) => string | undefined {
  let shown = '';
  let toldMs = 0;
  let isTold = false;
  const rateOf = createRate();
  return (event, nowMs) => {
    const rate = rateOf(event, nowMs);
    const key = `${event.phase} ${event.subject}`;
    if (key !== shown) {
      shown = key;
      toldMs = nowMs;
      isTold = false;
    }
    const isLast = isLastOfPhase(event);
    if (isLast ? !isTold : nowMs - toldMs < everyMs) return undefined;
    toldMs = nowMs;
    isTold = !isLast;
    return progressText(event, rate);
  };
}

/** Whether an event is the last one of its phase. A total of 0 is not known yet. */
export function isLastOfPhase({ files, totalFiles }: ProgressEvent): boolean {
  return totalFiles > 0 && files >= totalFiles;
}
