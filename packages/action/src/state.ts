import { isAbsolute } from 'node:path';
import type { Host } from './host.js';
import type { WorkflowCommands } from './workflow-commands.js';

/** What the main step tells the post step of the same action. */
export interface StepState {
  /** Absolute paths of the workspaces. */
  readonly roots: readonly string[];
  /** Whether the main step came to its end; otherwise something may be left to send. */
  readonly isFinished: boolean;
}

const ROOTS = 'roots';
const FINISHED = 'finished';

/** Says early which workspaces there are: a main step that is killed says nothing more. */
export function saveRoots(commands: WorkflowCommands, roots: readonly string[]): void {
  commands.saveState(ROOTS, JSON.stringify(roots));
}

export function saveFinished(commands: WorkflowCommands): void {
  commands.saveState(FINISHED, 'true');
}

/** What the main step has said, as far as it came. */
export function readState({ env }: Host): StepState {
  let roots: unknown;
  try {
    roots = JSON.parse(env[`STATE_${ROOTS}`] ?? '[]');
  } catch {
    roots = [];
  }
  return {
    roots: Array.isArray(roots) ? roots.filter((root) => typeof root === 'string' && isAbsolute(root)) : [],
    isFinished: env[`STATE_${FINISHED}`] === 'true',
  };
}
