import { decisionText, type Emit, type SluiceEvent, warningText } from '@sluice/engine';
import type { Globals } from '../globals.js';
import type { Io } from '../io.js';
import { createBars } from './bars.js';
import { createLines } from './lines.js';
import type { Progress } from './progress.js';

/** Shows events while a command works. */
export interface Renderer {
  readonly emit: Emit;
  /** Takes bars off the screen. Safe to call twice. */
  end(): void;
}

/** Events go to stderr: as JSON lines, as bars on a terminal outside of CI, or as a plain line every few seconds. */
export function createRenderer(io: Io, globals: Globals): Renderer {
  const { stderr } = io;
  if (globals.events === true) {
    return { emit: (event) => void stderr.write(`${JSON.stringify(event)}\n`), end: () => undefined };
  }
  const showsProgress = globals.progress !== false && globals.quiet !== true && globals.json !== true;
  // Most commands end before there is progress to show.
  let progress: Progress | undefined;
  const open = (): Progress => {
    const nowMs = (): number => performance.now();
    progress ??= isWatched(io) ? createBars(stderr, nowMs) : createLines(stderr, nowMs);
    return progress;
  };
  return {
    emit: (event) => {
      if (event.type === 'progress') {
        if (showsProgress) open().show(event);
        return;
      }
      const text = eventText(event, globals);
      if (text === undefined) return;
      progress?.clear();
      stderr.write(`${text}\n`);
    },
    end: () => progress?.clear(),
  };
}

function eventText(event: Exclude<SluiceEvent, { type: 'progress' }>, { quiet, verbose }: Globals): string | undefined {
  if (event.type === 'warning') return warningText(event);
  if (quiet === true) return undefined;
  switch (event.type) {
    case 'note':
      return event.message;
    case 'waiting':
      return `${event.stage}: waiting for ${event.what}`;
    case 'decision': {
      const text = decisionText(event);
      return verbose === true && text !== undefined ? `${event.stage} ${text}` : undefined;
    }
    case 'output':
      return event.text.replace(/\n$/, '');
  }
}

/** Any CI marker but `CI=false` means that nobody watches. */
function isWatched({ stderr, env }: Io): boolean {
  const { CI, GITHUB_ACTIONS, TERM } = env;
  const isCi = (CI !== undefined && CI !== '' && CI !== 'false') || GITHUB_ACTIONS !== undefined;
  return stderr.isTTY === true && !isCi && TERM !== 'dumb';
}
