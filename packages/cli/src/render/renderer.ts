import { decisionText, type Emit, progressText, type SluiceEvent, warningText } from '@sluice/engine';
import type { Globals } from '../globals.js';
import type { Io } from '../io.js';
import { createBars } from './bars.js';

/** Shows events while a command works. */
export interface Renderer {
  readonly emit: Emit;
  /** Takes bars off the screen. Safe to call twice. */
  end(): void;
}

/** Without a terminal a line of progress comes at most this often. */
const LINE_EVERY_MS = 3000;

/** Events go to stderr: as JSON lines, as bars on a terminal outside of CI, or as a plain line every few seconds. */
export function createRenderer(io: Io, globals: Globals): Renderer {
  if (globals.events === true) {
    return { emit: (event) => void io.stderr.write(`${JSON.stringify(event)}\n`), end: () => undefined };
  }
  const showsProgress = globals.progress !== false && globals.quiet !== true && globals.json !== true;
  const bars = showsProgress && io.stderr.isTTY === true && isInteractive(io.env) ? createBars(io.stderr) : undefined;
  let lastLineMs = performance.now();
  const onProgress = (event: Extract<SluiceEvent, { type: 'progress' }>): void => {
    if (bars !== undefined) {
      bars.update(event);
      return;
    }
    if (performance.now() - lastLineMs < LINE_EVERY_MS) return;
    lastLineMs = performance.now();
    io.stderr.write(`${progressText(event)}\n`);
  };
  return {
    emit: (event) => {
      if (event.type === 'progress') {
        if (showsProgress) onProgress(event);
        return;
      }
      const text = eventText(event, globals);
      if (text === undefined) return;
      bars?.clear();
      io.stderr.write(`${text}\n`);
    },
    end: () => bars?.clear(),
  };
}

function eventText(event: Exclude<SluiceEvent, { type: 'progress' }>, { quiet, verbose }: Globals): string | undefined {
  switch (event.type) {
    case 'warning':
      return warningText(event);
    case 'note':
      return quiet === true ? undefined : event.message;
    case 'waiting':
      return quiet === true ? undefined : `${event.stage}: waiting for ${event.what}`;
    case 'decision': {
      const text = decisionText(event);
      return verbose === true && text !== undefined ? `${event.stage} ${text}` : undefined;
    }
    case 'output':
      return quiet === true ? undefined : event.text.replace(/\n$/, '');
  }
}

/** Any CI marker but `CI=false` means that nobody watches. */
function isInteractive(env: Io['env']): boolean {
  const { CI, GITHUB_ACTIONS, TERM } = env;
  return (CI === undefined || CI === '' || CI === 'false') && GITHUB_ACTIONS === undefined && TERM !== 'dumb';
}
