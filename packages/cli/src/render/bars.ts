import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { formatBytes, formatCount, visible } from '@sluice/engine';
import type { SingleBar } from 'cli-progress';
import type { Output } from '../io.js';
import { isLast, type Progress, type ProgressEvent } from './progress.js';

/** Bars of cli-progress, one at a time. A new phase or subject ends the bar before it; a bar ends at exactly the total that it promised. */
export function createBars(output: Output): Progress {
  const { SingleBar: Bar } = loadCliProgress();
  let bar: SingleBar | undefined;
  let shown = '';
  const clear = (): void => {
    bar?.stop();
    bar = undefined;
    shown = '';
  };
  return {
    clear,
    show: (event) => {
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
        bar.start(event.totalFiles, 0, payload(event));
      }
      bar?.setTotal(event.totalFiles);
      bar?.update(event.files, payload(event));
      if (isLast(event)) clear();
    },
  };
}

function payload(event: ProgressEvent): Record<string, string> {
  return {
    subject: `${event.phase} ${visible(event.subject)}`,
    done: formatCount(event.files),
    all: formatCount(event.totalFiles),
    size: formatBytes(event.bytes),
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
