import { formatBytes, formatDuration, plural } from '@sluice/engine/summary';
import { nameOf, type TaskNote } from './task-note.js';

/** How many stages ended in each way, and what that moved and saved. Sizes in bytes, times in ms. */
export interface RunTotals {
  readonly unchanged: number;
  readonly restored: number;
  readonly ran: number;
  readonly committed: number;
  readonly failed: number;
  readonly receivedBytes: number;
  readonly savedMs: number;
  /** Outs that were left reference-only. */
  readonly referenceOnly: number;
}

/** What was done after the tasks, if the configuration asks for it; `errors` say what was not. Sizes in bytes, times in ms. */
export interface AfterRun {
  readonly push: {
    readonly remote: string;
    readonly files: number;
    readonly bytes: number;
    readonly ms: number;
  } | null;
  readonly gc: { readonly objects: number; readonly bytes: number; readonly ms: number } | null;
  readonly errors: readonly { readonly what: 'push' | 'gc'; readonly code: string; readonly message: string }[];
}

const OUTCOMES = ['unchanged', 'restored', 'ran', 'committed', 'failed'] as const;

/** Counts and sums of the notes of a run. */
export function totalsOf(notes: readonly TaskNote[]): RunTotals {
  const count = (outcome: TaskNote['outcome']): number => notes.filter((note) => note.outcome === outcome).length;
  const sum = (of: (note: TaskNote) => number): number => notes.reduce((total, note) => total + of(note), 0);
  return {
    unchanged: count('unchanged'),
    restored: count('restored'),
    ran: count('ran'),
    committed: count('committed'),
    failed: count('failed'),
    receivedBytes: sum(({ receivedBytes }) => receivedBytes),
    savedMs: sum(({ savedMs }) => savedMs),
    referenceOnly: sum(({ referenceOnly }) => referenceOnly.length),
  };
}

/** `Sluice: 4 stages: 2 unchanged, 1 ran, 1 failed; received 1.2 MiB; saved 3 min 20 s`, then a line for each thing to know. */
export function summaryText(notes: readonly TaskNote[], totals: RunTotals, after: AfterRun): string {
  const counts = OUTCOMES.filter((outcome) => totals[outcome] > 0).map((outcome) => `${totals[outcome]} ${outcome}`);
  const moved = [
    ...(totals.receivedBytes > 0 ? [`received ${formatBytes(totals.receivedBytes)}`] : []),
    ...(after.push === null ? [] : [`pushed ${formatBytes(after.push.bytes)} to ${after.push.remote}`]),
    ...(after.gc === null || after.gc.objects === 0 ? [] : [`collected ${formatBytes(after.gc.bytes)}`]),
    ...(totals.savedMs > 0 ? [`saved ${formatDuration(totals.savedMs)}`] : []),
  ];
  const lines = [`Sluice: ${plural(notes.length, 'stage')}: ${[counts.join(', '), ...moved].join('; ')}`];
  for (const note of notes) if (note.error !== null) lines.push(`  failed: ${nameOf(note)} (${note.error.code})`);
  for (const { what, code, message } of after.errors) lines.push(`  ${what} after the run failed: ${code}: ${message}`);
  if (totals.referenceOnly > 0) {
    const left = plural(totals.referenceOnly, 'out');
    const them = totals.referenceOnly === 1 ? 'it' : 'them';
    lines.push(
      `  ${left} left reference-only, since no stage that ran reads ${them}; \`sluice checkout\` or \`sluice pull\` puts ${them} in place`,
    );
  }
  return lines.join('\n');
}
