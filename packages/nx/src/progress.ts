import { createProgressLines, type SluiceEvent } from '@sluice/engine';

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
  const lineOf = createProgressLines(host.isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS);
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) host.write(ERASE_LINE);
    isDrawn = false;
  };
  return {
    clear,
    show: (event) => {
      const line = lineOf(event, host.nowMs());
      if (line === undefined) return;
      clear();
      host.write(host.isTerminal ? line : `${line}\n`);
      isDrawn = host.isTerminal;
    },
  };
}
