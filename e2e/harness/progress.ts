import type { SluiceEvent } from '@sluice/engine';
import type { Ended } from './process.js';

type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/** The events that a command told with `--events`. */
function eventsOf({ stderr }: Ended): SluiceEvent[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

/**
 * The pieces of bulk work that a command told of, in their order, as `phase subject: files, bytes`. Each of them grows, is never more than it promised, and ends at exactly that, in files
 * and in bytes, before the next one of its phase and subject begins.
 */
export function exactTotals(ended: Ended): string[] {
  const pieces: ProgressEvent[] = [];
  for (const event of eventsOf(ended)) {
    if (event.type !== 'progress') continue;
    const at = pieces.findLastIndex(({ phase, subject }) => phase === event.phase && subject === event.subject);
    const before = pieces[at];
    if (before === undefined || before.files === before.totalFiles) {
      pieces.push(event);
      continue;
    }
    expect([event.totalFiles, event.totalBytes]).toEqual([before.totalFiles, before.totalBytes]);
    expect(event.files).toBeGreaterThanOrEqual(before.files);
    expect(event.bytes).toBeGreaterThanOrEqual(before.bytes);
    pieces[at] = event;
  }
  return pieces.map(({ phase, subject, files, totalFiles, bytes, totalBytes }) => {
    expect([files, bytes]).toEqual([totalFiles, totalBytes]);
    return `${phase} ${subject}: ${files}, ${bytes}`;
  });
}
