import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackgroundReport } from '@sluice/engine';
import { afterRun } from './after-run.js';
import { summaryText, totalsOf } from './summary.js';
import { type TaskNote, takeNotes } from './task-note.js';

/** One Nx command that has ended. Times are milliseconds since 1970. */
export interface EndedRun {
  readonly root: string;
  /** The folder that its tasks noted in. */
  readonly notes: string;
  readonly startTime: number;
  readonly endTime: number;
  /** What was pushed while its tasks ran. */
  readonly beside?: BackgroundReport | undefined;
}

/**
 * Sums up what the stages of a command did, does what is configured for then, and writes `.sluice/last-run.json` for tools. Returns the summary; nothing if no stage
 * was among the tasks.
 */
export async function endRun(
  { root, notes: dir, startTime, endTime, beside }: EndedRun,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const notes = takeNotes(dir, endTime).map((note) => asItEnded(root, note));
  if (notes.length === 0) return undefined;
  const after = await afterRun(root, env, notes, beside);
  const totals = totalsOf(notes);
  const startedAt = new Date(startTime).toISOString();
  const report = { schema: 1, startedAt, ms: endTime - startTime, totals, ...after, stages: notes };
  writeReport(join(root, '.sluice'), `${JSON.stringify(report, undefined, 2)}\n`);
  return summaryText(notes, totals, after);
}

/** What one stage left where it was, a later one may have put in place. */
function asItEnded(root: string, note: TaskNote): TaskNote {
  return { ...note, referenceOnly: note.referenceOnly.filter((path) => !existsSync(join(root, path))) };
}

function writeReport(dir: string, text: string): void {
  mkdirSync(dir, { recursive: true });
  const temporary = join(dir, `last-run.${process.pid}.tmp`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(dir, 'last-run.json'));
}
