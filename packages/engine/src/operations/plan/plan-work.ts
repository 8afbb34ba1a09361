import { compareUtf8 } from '../../model/path.js';
import { levelsOf, type Needing } from './levels.js';

/** What is known of a stage before anything runs. */
export interface SeenStage extends Needing {
  readonly state: 'unchanged' | 'restorable' | 'changed' | 'new';
  /** Why it would not be found by others after a run; `undefined` if it would. */
  readonly staysHere: string | undefined;
}

/**
 * What becomes of a stage: `run`, it has to; `may-run`, what it reads will be made anew, and may turn out as it was; `restore`, its result is known; `left`, only a job that has everything before
 * it can run it.
 */
export type StageAction = 'run' | 'may-run' | 'restore' | 'left' | 'none';

/** A stage with what becomes of it. */
export interface StageWork {
  readonly name: string;
  readonly action: StageAction;
  /** The stages that decide about it, or, for `left`, what keeps it from others; empty where its own state says why. */
  readonly because: readonly string[];
}

/** Decides what becomes of each stage when those before it are made. `needs` outside of the list count as done. Sorted by name. */
export function planWork(stages: readonly SeenStage[]): StageWork[] {
  const works = new Map<string, StageWork>();
  for (const stage of levelsOf(stages).flat()) {
    const above = stage.needs.flatMap((need) => works.get(need) ?? []);
    works.set(stage.name, workOf(stage, above));
  }
  return [...works.values()].sort((a, b) => compareUtf8(a.name, b.name));
}

function workOf({ name, state, staysHere }: SeenStage, above: readonly StageWork[]): StageWork {
  const left = above.filter(({ action }) => action === 'left').map((work) => work.name);
  if (left.length > 0) return { name, action: 'left', because: left.sort(compareUtf8) };
  const made = above.filter(({ action }) => action === 'run' || action === 'may-run').map((work) => work.name);
  const isIdle = made.length === 0 && (state === 'unchanged' || state === 'restorable');
  if (isIdle) return { name, action: state === 'unchanged' ? 'none' : 'restore', because: [] };
  if (staysHere !== undefined) return { name, action: 'left', because: [staysHere] };
  return made.length > 0
    ? { name, action: 'may-run', because: made.sort(compareUtf8) }
    : { name, action: 'run', because: [] };
}
