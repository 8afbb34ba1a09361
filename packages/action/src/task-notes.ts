import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reason } from '@sluice/engine';
import { asObject, asText, readJson } from './json-values.js';

/** Names the directory where executors say what became of their stages, for whoever started Nx. */
export const REPORT_NOTES_VARIABLE = 'SLUICE_REPORT_NOTES';

/** What became of one stage. Sizes in bytes, times in ms. */
export interface TaskNote {
  readonly project: string;
  readonly target: string;
  readonly configuration: string | null;
  readonly outcome: 'unchanged' | 'restored' | 'ran' | 'committed' | 'failed';
  readonly reasons: readonly Reason[];
  readonly files: number;
  readonly bytes: number;
  readonly source: string | null;
  readonly receivedBytes: number;
  readonly savedMs: number;
  readonly ms: number;
  readonly referenceOnly: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** All notes so far, in the order of their stages; a stage that ran twice has the later one. Lines that are no notes are left out. */
export function readNotes(dir: string): TaskNote[] {
  const notes = new Map<string, TaskNote>();
  for (const name of namesIn(dir)) {
    for (const line of readFileSync(join(dir, name), 'utf8').split('\n')) {
      const note = parseNote(line);
      if (note !== undefined) notes.set(stageOf(note), note);
    }
  }
  return [...notes.values()].sort((a, b) => (stageOf(a) < stageOf(b) ? -1 : 1));
}

/** `project:target` */
export function stageOf({ project, target }: Pick<TaskNote, 'project' | 'target'>): string {
  return `${project}:${target}`;
}

const OUTCOMES = ['unchanged', 'restored', 'ran', 'committed', 'failed'] as const;

/** The process of a stage wrote this: only what has the shape of a note is taken. */
function parseNote(line: string): TaskNote | undefined {
  const given = asObject(readJson(line));
  const outcome = OUTCOMES.find((known) => known === given.outcome);
  if (outcome === undefined || typeof given.project !== 'string' || typeof given.target !== 'string') return undefined;
  return {
    project: given.project,
    target: given.target,
    configuration: asText(given.configuration) ?? null,
    outcome,
    reasons: asList(given.reasons).flatMap(asReason),
    files: asCount(given.files),
    bytes: asCount(given.bytes),
    source: asText(given.source) ?? null,
    receivedBytes: asCount(given.receivedBytes),
    savedMs: asCount(given.savedMs),
    ms: asCount(given.ms),
    referenceOnly: asList(given.referenceOnly).flatMap((path) => asText(path) ?? []),
    error: asError(given.error),
  };
}

function asReason(value: unknown): Reason[] {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('name' in value)) return [];
  return typeof value.kind === 'string' && typeof value.name === 'string' ? [value as Reason] : [];
}

function asError(value: unknown): TaskNote['error'] {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return null;
  return { code: String(value.code), message: String(value.message) };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
