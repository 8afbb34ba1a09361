import { asSluiceError, type Engine, type SluiceError } from '@sluice/engine';
import { completeStages } from './complete-stages.js';
import { readNotes, stageOf, type TaskNote } from './task-notes.js';

/** What was sent. Sizes in bytes, times in ms. */
export interface Pushed {
  readonly stages: readonly string[];
  readonly files: number;
  readonly objects: number;
  readonly bytes: number;
  readonly ms: number;
  /** Why something was not sent; the first for each code. */
  readonly problems: readonly SluiceError[];
}

/** How often to look for stages that have ended. */
const LOOK_EVERY_MS = 300;
/** After so many failures a remote is left alone until the end. */
const MOST_FAILURES = 2;

/**
 * Sends the results of stages while others still run, one push after another: a role may expire before the job ends, and a job that is cancelled has sent what it made.
 * `finish` waits, tries once more what failed, and tells. Never throws.
 */
export function pushFinished(
  engine: Pick<Engine, 'push' | 'status'>,
  notesDir: string,
): { finish(isCancelled: boolean): Promise<Pushed> } {
  const sent = new Set<string>();
  const problems = new Map<string, SluiceError>();
  const total = { files: 0, objects: 0, bytes: 0, ms: 0 };
  let failures = 0;
  let working: Promise<void> = Promise.resolve();

  const pushOnce = async (choose: () => Promise<string[]>): Promise<void> => {
    try {
      const select = await choose();
      if (select.length === 0) return;
      const { files, objects, bytes, ms } = await engine.push({ select });
      for (const stage of select) sent.add(stage);
      total.files += files.sent;
      total.objects += objects.sent;
      total.bytes += bytes.sent;
      total.ms += ms;
      problems.clear();
    } catch (error) {
      failures++;
      const problem = asSluiceError(error);
      problems.set(problem.code, problem);
    }
  };
  const ended = (isWanted: (note: TaskNote) => boolean): string[] =>
    readNotes(notesDir)
      .filter(isWanted)
      .map(stageOf)
      .filter((stage) => !sent.has(stage));
  const made = async (): Promise<string[]> => ended(madeSomething);
  /** An attempt before this one may have made it and died before it was sent. */
  const found = async (): Promise<string[]> => {
    const stages = ended(({ outcome }) => outcome !== 'failed');
    return stages.length === 0 ? [] : await completeStages(engine, stages);
  };
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy || failures >= MOST_FAILURES) return;
    isBusy = true;
    working = pushOnce(made).finally(() => {
      isBusy = false;
    });
  }, LOOK_EVERY_MS);

  return {
    finish: async (isCancelled) => {
      clearInterval(timer);
      await working;
      if (!isCancelled) {
        await pushOnce(made);
        if (problems.size === 0) await pushOnce(found);
      }
      return { stages: [...sent], ...total, problems: [...problems.values()] };
    },
  };
}

function madeSomething({ outcome }: TaskNote): boolean {
  return outcome === 'ran' || outcome === 'committed';
}
