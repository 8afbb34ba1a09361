import type { Reason, RunResult, SluiceEvent } from '@sluice/engine';

/** The first line about a stage that will run: why. What needs no time is told by {@link resultLine} alone. */
export function decisionLine(event: Extract<SluiceEvent, { type: 'decision' }>): string | undefined {
  return event.decision === 'run' ? `runs: ${reasonsText(event.reasons)}` : undefined;
}

/** The last line about a stage that is up to date now. */
export function resultLine({ outcome, reasons, files, bytes, source, referenceOnly }: RunResult, ms: number): string {
  const amount = `${countText(files, 'file')} (${bytesText(bytes)})`;
  const left =
    referenceOnly.length === 0 ? '' : `; not put in place, since nothing reads it: ${referenceOnly.join(', ')}`;
  switch (outcome) {
    case 'unchanged':
      return `unchanged${left}`;
    case 'restored':
      return `restored ${amount} from ${source ?? 'store'} in ${secondsText(ms)}${left}`;
    case 'ran':
      return `ran: ${reasonsText(reasons)}; ${amount} in ${secondsText(ms)}`;
    case 'committed':
      return `committed: ${reasonsText(reasons)}; ${amount} in ${secondsText(ms)}`;
  }
}

/** A warning or a failure: what and where, then what to do. */
export function problemLines(
  label: string,
  problem: { readonly message: string; readonly hint?: string | undefined },
): string[] {
  return [`${label}: ${problem.message}`, ...(problem.hint === undefined ? [] : [problem.hint])];
}

/** `writing files p/data: 1,000 of 70,000 files (12 MiB of 30 MiB)`. */
export function progressText(event: Extract<SluiceEvent, { type: 'progress' }>): string {
  const { phase, subject, files, totalFiles, bytes, totalBytes } = event;
  const ofFiles =
    totalFiles > 0 ? `${files.toLocaleString('en')} of ${countText(totalFiles, 'file')}` : countText(files, 'file');
  const ofBytes = totalBytes > 0 ? `${bytesText(bytes)} of ${bytesText(totalBytes)}` : bytesText(bytes);
  return `${phase}${subject === '' ? '' : ` ${subject}`}: ${ofFiles} (${ofBytes})`;
}

function reasonsText(reasons: readonly Reason[]): string {
  return reasons.map((reason) => JSON.stringify(reason)).join(', ');
}

function countText(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

function bytesText(bytes: number): string {
  return `${bytes} B`;
}

function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
