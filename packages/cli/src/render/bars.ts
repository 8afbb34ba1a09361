import { createRequire } from 'node:module';
import { formatBytes, formatCount, type SluiceEvent } from '@sluice/engine';
import type { Output } from '../io.js';

type Progress = Extract<SluiceEvent, { type: 'progress' }>;

/** A bar on a terminal, one phase at a time. */
export interface Bars {
  update(event: Progress): void;
  clear(): void;
}

/** Bars of cli-progress. A new phase or subject ends the bar before it; a bar ends at exactly the total that it promised. */
export function createBars(output: Output): Bars {
  const { SingleBar } = loadCliProgress();
  let bar: InstanceType<typeof SingleBar> | undefined;
  let current = '';
  const clear = (): void => {
    bar?.stop();
    bar = undefined;
    current = '';
  };
  return {
    clear,
    update: (event) => {
      const subject = `${event.phase} ${event.subject}`;
      if (subject !== current) {
        clear();
        bar = new SingleBar({
          format: '{subject} [{bar}] {done}/{all} files, {size}',
          stream: output as NodeJS.WritableStream,
          hideCursor: true,
          clearOnComplete: true,
        });
        bar.start(event.totalFiles, 0, payload(event));
        current = subject;
      }
      bar?.update(event.files, payload(event));
      if (event.totalFiles > 0 && event.files >= event.totalFiles) clear();
    },
  };
}

function payload(event: Progress): Record<string, string> {
  return {
    subject: `${event.phase} ${event.subject}`,
    done: formatCount(event.files),
    all: formatCount(event.totalFiles),
    size: formatBytes(event.bytes),
  };
}

/** Loaded only where somebody watches. */
function loadCliProgress(): typeof import('cli-progress') {
  return createRequire(import.meta.url)('cli-progress');
}
