import type { SluiceEvent } from '../events.js';
import { formatBytes, formatDuration, formatRate } from './format.js';

/** Speeds are those of the last seconds: a line that has become slow shows at once. */
const WINDOW_MS = 8000;
/** Before this nothing is known. */
const LEAST_MS = 1000;

type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/**
 * Makes a function that says of a transfer how much of it is done, how fast it is and how long it will take: ` of 1.5 GiB, 33.2 MiB/s, 40 s left`; empty for other work. It is given each
 * event, with the time, in order.
 */
export function createRate(): (event: ProgressEvent, nowMs: number) => string {
  let subject = '';
  let seen: { readonly ms: number; readonly bytes: number }[] = [];
  return (event, nowMs) => {
    const { phase, bytes, totalBytes } = event;
    if ((phase !== 'sending' && phase !== 'receiving') || totalBytes === 0) return '';
    const key = `${phase} ${event.subject} ${totalBytes}`;
    if (key !== subject || bytes < (seen.at(-1)?.bytes ?? 0)) seen = [];
    subject = key;
    seen.push({ ms: nowMs, bytes });
    // The last one from before the window stays: it is where the window begins.
    while (seen.length > 2 && (seen[1]?.ms ?? nowMs) <= nowMs - WINDOW_MS) seen.shift();
    const [first = { ms: nowMs, bytes }] = seen;
    const [tookMs, came] = [nowMs - first.ms, bytes - first.bytes];
    const of = bytes < totalBytes ? ` of ${formatBytes(totalBytes)}` : '';
    if (tookMs < LEAST_MS || came === 0 || bytes >= totalBytes) return of;
    const leftMs = ((totalBytes - bytes) / came) * tookMs;
    return `${of}, ${formatRate(came, tookMs)}, ${formatDuration(Math.max(1000, leftMs))} left`;
  };
}
