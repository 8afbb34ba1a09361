import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What Nx tells its hooks. */
export interface HookContext {
  /** Of one Nx command. */
  readonly id: string;
  readonly workspaceRoot: string;
}

/** What it tells when all tasks have ended. Times are milliseconds since 1970. */
export interface EndContext extends HookContext {
  readonly startTime: number;
  readonly endTime: number;
}

/** Nx forwards what we print, but may end before it has read all of it. */
const READ_WITHIN_MS = 50;

/**
 * Tells the tasks of a command, by the environment that they get from this process, where to note what became of them; and begins to push what they make if `sluice.json` says so. Never throws: that
 * would stop the command.
 */
export async function preTasksExecution(_options: unknown, { id, workspaceRoot }: HookContext): Promise<void> {
  try {
    const { NOTES_VARIABLE, notesDir } = await import('./task-note.js');
    const { askForTerminal } = await import('./terminal.js');
    const { [NOTES_VARIABLE]: _notes, ...env } = process.env;
    process.env[NOTES_VARIABLE] = notesDir(workspaceRoot, id);
    askForTerminal(process.env, id);
    const { beginPush } = await import('./push-beside.js');
    beginPush(id, workspaceRoot, env);
  } catch {
    // Then there is no summary, and what was made is pushed at the end.
  }
}

/** Sums up what the stages of a command did, and pushes and collects if `sluice.json` says so. Never throws. */
export async function postTasksExecution(_options: unknown, context: EndContext): Promise<void> {
  try {
    const { id, workspaceRoot: root, startTime, endTime } = context;
    const { NOTES_VARIABLE, notesDir } = await import('./task-note.js');
    const notes = notesDir(root, id);
    const { endPush } = await import('./push-beside.js');
    const beside = await endPush(id);
    if (!existsSync(notes)) return;
    const { notedTerminal, printTo } = await import('./terminal.js');
    const terminal = notedTerminal(process.env, notes);
    const { endRun } = await import('./end-run.js');
    const { [NOTES_VARIABLE]: _notes, ...env } = process.env;
    const summary = await endRun({ root, notes, startTime, endTime, beside }, env);
    if (summary === undefined) return;
    const text = `\n${summary}\n\n`;
    if (terminal !== undefined && printTo(terminal, text)) return;
    await new Promise((resolve) => process.stdout.write(text, resolve));
    await sleep(READ_WITHIN_MS);
  } catch (error) {
    process.stderr.write(`Sluice cannot sum up this run: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
