import { inspect } from 'node:util';
import {
  decisionText,
  errorText,
  outcomeText,
  type RunResult,
  reasonsText,
  reasonText,
  type SluiceError,
  type SluiceEvent,
  toErrorWire,
  warningText,
} from '@sluice/engine';
import { createProgress } from './progress.js';

/** The process that something runs in: what is used of `process`. */
export interface Host {
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Turns what the engine tells about one stage into the output of one Nx task. */
export interface Printer {
  emit(event: SluiceEvent): void;
  result(result: RunResult, ms: number): void;
  failure(error: SluiceError): void;
  /** Lines of their own. */
  text(text: string): void;
}

/**
 * A printer: the command's output as it is, everything else as whole lines; warnings and failures go to stderr. `CI` in the environment or
 * no terminal: progress as a plain line every few seconds. `verbose`: all reasons instead of the first ones, and where an error comes from.
 */
export function createPrinter(
  { stdout, stderr, env }: Host,
  { verbose }: { readonly verbose: boolean } = { verbose: false },
): Printer {
  let atLineStart = true;
  const line = (stream: Host['stderr'], text: string): void => {
    progress.clear();
    // The command may have ended without a newline.
    stream.write(atLineStart ? `${text}\n` : `\n${text}\n`);
    atLineStart = true;
  };
  const isCi = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  const progress = createProgress({
    write: (text) => stdout.write(text),
    isTerminal: stdout.isTTY === true && !isCi,
    nowMs: () => performance.now(),
  });

  return {
    emit: (event) => {
      switch (event.type) {
        case 'output':
          progress.clear();
          (event.stream === 'stdout' ? stdout : stderr).write(event.text);
          atLineStart = event.text.endsWith('\n');
          return;
        case 'progress':
          if (atLineStart) progress.show(event);
          return;
        case 'decision': {
          const text = decisionText(event);
          if (text !== undefined) line(stdout, text);
          if (verbose && event.reasons.length > 1)
            for (const reason of event.reasons) line(stdout, `  ${reasonText(reason)}`);
          return;
        }
        case 'waiting':
          line(stdout, `waiting for ${event.what}`);
          return;
        case 'note':
          line(stdout, event.message);
          return;
        case 'warning':
          line(stderr, warningText(event));
      }
    },
    result: (result, ms) => line(stdout, resultText(result, ms)),
    text: (text) => line(stdout, text),
    failure: (error) => {
      line(stderr, errorText(toErrorWire(error)));
      if (verbose || env.SLUICE_TRACE === '1') line(stderr, inspect(error));
    },
  };
}

/** A run says again why: its first line is far above, over the command's output. */
function resultText(result: RunResult, ms: number): string {
  const text = outcomeText(result, ms);
  return result.outcome === 'ran' ? `ran: ${reasonsText(result.reasons)}; ${text}` : text;
}
