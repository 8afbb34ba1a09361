import { asSluiceError, type Engine, fromErrorWire, pushFailure, type SluiceError } from '@sluice/engine';
import { readNotes, stageOf } from './task-notes.js';

/** What was sent. Sizes in bytes, times in ms. */
export interface Pushed {
  readonly files: number;
  readonly objects: number;
  readonly bytes: number;
  readonly ms: number;
  /** Why something was not sent. */
  readonly problems: readonly SluiceError[];
}

/**
 * Sends the results of stages, all to each of the mirrors, while others still run: a role may expire before the job ends, and a job that is cancelled has sent what it made. `finish` waits, and sends also what
 * was not made but found: an attempt before this one may have made it and died, or it came from a remote that lies further away. It never throws.
 */
export function pushFinished(
  engine: Pick<Engine, 'push' | 'pushWhileRunning' | 'sendable'>,
  notesDir: string,
  mirrors: readonly string[] | undefined,
): { finish(isCancelled: boolean): Promise<Pushed> } {
  const to = mirrors === undefined ? {} : { remotes: mirrors };
  const beside = engine.pushWhileRunning(to);
  const pushFound = async (sent: readonly string[]): Promise<Pushed | undefined> => {
    const found = readNotes(notesDir)
      .filter(({ outcome }) => outcome !== 'failed')
      .map(stageOf)
      .filter((stage) => !sent.includes(stage));
    const select = found.length === 0 ? [] : await engine.sendable({ select: found });
    if (select.length === 0) return undefined;
    const report = await engine.push({ select, ...to });
    const problem = pushFailure(report);
    const { files, objects, bytes, ms } = report;
    return {
      files: files.sent,
      objects: objects.sent,
      bytes: bytes.sent,
      ms,
      problems: problem === undefined ? [] : [problem],
    };
  };
  return {
    finish: async (isCancelled) => {
      const { stages, files, objects, bytes, ms, error } = await (isCancelled ? beside.stop() : beside.flush());
      const made = { files, objects, bytes, ms, problems: error === null ? [] : [fromErrorWire(error)] };
      if (isCancelled || error !== null) return made;
      try {
        return add(made, await pushFound(stages));
      } catch (problem) {
        return { ...made, problems: [asSluiceError(problem)] };
      }
    },
  };
}

function add(a: Pushed, b: Pushed | undefined): Pushed {
  if (b === undefined) return a;
  return {
    files: a.files + b.files,
    objects: a.objects + b.objects,
    bytes: a.bytes + b.bytes,
    ms: a.ms + b.ms,
    problems: [...a.problems, ...b.problems],
  };
}
