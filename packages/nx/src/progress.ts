import { createRate, progressText, type SluiceEvent } from '@sluice/engine';

type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

/** Shows how far bulk work has come. */
export interface Progress {
  show(event: ProgressEvent): void;
  /** Makes room for another line. */
  clear(): void;
}

/** Work that ends sooner than this is not told about. */
const PLAIN_EVERY_MS = 3000;
const TERMINAL_EVERY_MS = 100;

const ERASE_LINE = '\r\u001b[2K';

/** On a terminal one line that is written over, elsewhere a new line every few seconds. The last one of a phase has its total. */
export function createProgress(host: {
  write(text: string): unknown;
  readonly isTerminal: boolean;
  nowMs(): number;
}): Progress {
  const everyMs = host.isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
  let phase: string | undefined;
  let toldMs = 0;
  let told = false;
  let drawn = false;
  const rateOf = createRate();
  const clear = (): void => {
    if (drawn) host.write(ERASE_LINE);
    drawn = false;
  };
  return {
    clear,
    show: (event) => {
      const now = host.nowMs();
      const rate = rateOf(event, now);
      const key = `${event.phase} ${event.subject}`;
      if (key !== phase) {
        phase = key;
        toldMs = now;
        told = false;
      }
      const isLast = event.totalFiles > 0 && event.files >= event.totalFiles;
      if (isLast ? !told : now - toldMs < everyMs) return;
      toldMs = now;
      told = !isLast;
      clear();
      host.write(host.isTerminal ? progressText(event, rate) : `${progressText(event, rate)}\n`);
      drawn = host.isTerminal;
    },
  };
}
