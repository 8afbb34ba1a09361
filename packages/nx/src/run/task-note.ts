import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Reason, RunResult } from '@sluice/engine';
import { noteTerminal } from './terminal.js';

/** Names the folder where the tasks of one Nx command note what became of them, for whoever sums them up when all have ended. */
export const NOTES_VARIABLE = 'SLUICE_RUN_NOTES';

/** Names a folder where they are noted too, for whoever started the command. */
const REPORT_NOTES_VARIABLE = 'SLUICE_REPORT_NOTES';

/** The variables that name folders for notes; no command of a stage has them. */
export const NOTES_VARIABLES: readonly string[] = [NOTES_VARIABLE, REPORT_NOTES_VARIABLE];

/** What became of one stage. Sizes in bytes, times in ms. */
export interface TaskNote {
  readonly project: string;
  readonly target: string;
  readonly configuration: string | null;
  readonly outcome: RunResult['outcome'] | 'failed';
  readonly reasons: readonly Reason[];
  /** Files and bytes that were put in place or committed. */
  readonly files: number;
  readonly bytes: number;
  /** Where restored data came from. */
  readonly source: string | null;
  readonly receivedBytes: number;
  readonly savedMs: number;
  readonly ms: number;
  /** Outs that were left where they are. */
  readonly referenceOnly: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Folders of commands that were killed are deleted after this long. */
const LOST_AFTER_MS = 86_400_000;

/** Where the notes of one command go. Nothing is made until somebody notes something. */
export function notesDir(root: string, runId: string): string {
  return join(root, '.sluice', 'runs', runId.replaceAll(/[^\w-]/g, '_'));
}

/** A file of notes, open until this process ends, and the lines that are not in it yet. */
interface NoteFile {
  readonly fd: number;
  lines: string;
  writtenAtMs: number;
}

/** The files that this process has begun, by their folder. */
const begun = new Map<string, NoteFile>();

/** Notes of unchanged stages wait this long for others, to be written with one call: a batch may have a thousand of them. */
const WAIT_MS = 100;

/**
 * Notes what became of a stage, a line in a file per process. Without a folder in the environment nobody will ask. Who notes more than one stage calls
 * {@link writeNotes} at the end. Never throws.
 */
export function noteTask(env: Readonly<Record<string, string | undefined>>, note: TaskNote): void {
  const line = `${JSON.stringify(note)}\n`;
  for (const name of NOTES_VARIABLES) {
    const dir = env[name];
    if (dir === undefined || dir === '') continue;
    try {
      const file = begun.get(dir) ?? begin(env, dir);
      begun.set(dir, file);
      file.lines += line;
      if (note.outcome !== 'unchanged' || performance.now() > file.writtenAtMs + WAIT_MS) write(file);
    } catch {
      // A summary is not worth a failure.
    }
  }
}

/** Writes the notes that waited. Never throws. */
export function writeNotes(): void {
  for (const file of begun.values()) {
    try {
      write(file);
    } catch {
      // As above.
    }
  }
}

function begin(env: Readonly<Record<string, string | undefined>>, dir: string): NoteFile {
  mkdirSync(dir, { recursive: true });
  noteTerminal(env, dir);
  return { fd: openSync(join(dir, `${process.pid}.jsonl`), 'a'), lines: '', writtenAtMs: Number.NEGATIVE_INFINITY };
}

function write(file: NoteFile): void {
  const { lines } = file;
  file.lines = '';
  file.writtenAtMs = performance.now();
  if (lines !== '') writeSync(file.fd, lines);
}

/** All notes of a command, by project and target; they are deleted. What a killed process left torn is left out. */
export function takeNotes(dir: string, nowMs: number): TaskNote[] {
  const files = namesIn(dir).filter((name) => name.endsWith('.jsonl'));
  const notes = files.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').flatMap(parseNote));
  rmSync(dir, { recursive: true, force: true });
  for (const name of namesIn(dirname(dir))) {
    const other = join(dirname(dir), name);
    if (statSync(other).mtimeMs < nowMs - LOST_AFTER_MS) rmSync(other, { recursive: true, force: true });
  }
  return notes.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** `project:target:configuration` */
export function nameOf({ project, target, configuration }: TaskNote): string {
  return [project, target, ...(configuration === null ? [] : [configuration])].join(':');
}

function parseNote(line: string): TaskNote[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as TaskNote];
  } catch {
    return [];
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
