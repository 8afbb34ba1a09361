import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { createRate, formatBytes, formatCount, isLastOfPhase, visible } from '@sluice/engine';
import type { SingleBar } from 'cli-progress';
import type { Output } from '../io.js';
import type { Progress, ProgressEvent } from './progress.js';

/** Bars of cli-progress, one at a time. A new phase or subject ends the bar before it; a bar ends at exactly the total that it promised. */
export function createBars(output: Output, nowMs: () => number): Progress {
  const { SingleBar: Bar } = loadCliProgress();
  let bar: SingleBar | undefined;
  let shown = '';
  const rateOf = createRate();
  const clear = (): void => {
    bar?.stop();
    bar = undefined;
    shown = '';
  };
  return {
    clear,
    show: (event) => {
      const shownNow = payload(event, rateOf(event, nowMs()));
      // Work whose size turns out only later gets its bar then.
      const key = `${event.phase} ${event.subject} ${event.totalFiles > 0}`;
      if (key !== shown) {
        clear();
        shown = key;
        bar = new Bar({
          format:
            event.totalFiles > 0
              ? '{subject} [{bar}] {done} of {all} files, {size}'
              : '{subject}: {done} files, {size}',
          stream: terminalOf(output),
          hideCursor: true,
          clearOnComplete: true,
        });
        bar.start(totalOf(event), 0, shownNow);
      }
      bar?.setTotal(totalOf(event));
      bar?.update(doneOf(event), shownNow);
      if (isLastOfPhase(event)) clear();
    },
  };
}

/** The bar of a transfer grows with bytes: one of its files may be larger than all others together. */
function isByBytes({ phase, totalBytes }: ProgressEvent): boolean {
  return (phase === 'sending' || phase === 'receiving') && totalBytes > 0;
}

function totalOf(event: ProgressEvent): number {
  return isByBytes(event) ? event.totalBytes : event.totalFiles;
}

function doneOf(event: ProgressEvent): number {
  return isByBytes(event) ? event.bytes : event.files;
}

function payload(event: ProgressEvent, rate: string): Record<string, string> {
  return {
    subject: `${event.phase} ${visible(event.subject)}`,
    done: formatCount(event.files),
    all: formatCount(event.totalFiles),
    size: `${formatBytes(event.bytes)}${rate}`,
  };
}

/** A terminal as cli-progress knows them. Every piece is written at once. */
function terminalOf(output: Output): NodeJS.WritableStream {
  const stream = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => {
      output.write(String(text));
      done();
    },
  });
  return Object.assign(stream, { isTTY: true, columns: output.columns });
}

/** Loaded only where somebody watches, and there synchronously: events do not wait. */
function loadCliProgress(): typeof import('cli-progress') {
  return createRequire(import.meta.url)('cli-progress');
}
