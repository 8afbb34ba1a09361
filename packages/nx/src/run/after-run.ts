import type { Engine } from '@sluice/engine';
import { asSluiceError, wantedAfterRun } from '@sluice/engine/summary';
import type { AfterRun } from './summary.js';
import type { TaskNote } from './task-note.js';

/** A collection after a run also keeps the results of the last two weeks: whoever changes back gets them without a run. */
const KEPT_RECORDS_MS = 14 * 86_400_000;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Does what the configuration says after a run: sends what the stages of this run have, then collects. Never throws: a remote that is down makes a run no failure.
 */
export async function afterRun(root: string, env: Env, notes: readonly TaskNote[]): Promise<AfterRun> {
  const errors: AfterRun['errors'][number][] = [];
  const attempt = async <T>(what: 'push' | 'gc', action: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await action();
    } catch (error) {
      const { code, message } = asSluiceError(error);
      errors.push({ what, code, message });
      return null;
    }
  };
  const wanted = await attempt('push', () => wantedAfterRun(root, env));
  const engine = wanted?.push || wanted?.gc ? await attempt('push', () => openEngine(root, env)) : null;
  if (!wanted || !engine) return { push: null, gc: null, errors };
  try {
    const push = wanted.push ? await attempt('push', () => pushStages(engine, notes)) : null;
    const gc = wanted.gc ? await attempt('gc', () => collect(engine)) : null;
    return { push, gc, errors };
  } finally {
    await engine.close();
  }
}

/** The engine is loaded only if there is something to do. */
async function openEngine(root: string, env: Env): Promise<Engine> {
  return (await import('@sluice/engine')).openEngine({ root, env });
}

async function pushStages(engine: Engine, notes: readonly TaskNote[]): Promise<AfterRun['push']> {
  const done = notes.filter(({ outcome }) => outcome !== 'failed');
  const select = [...new Set(done.map(({ project, target }) => `${project}:${target}`))];
  if (select.length === 0) return null;
  const { remote, files, bytes, ms } = await engine.push({ select });
  return { remote, files: files.sent, bytes: bytes.sent, ms };
}

async function collect(engine: Engine): Promise<AfterRun['gc']> {
  const { removed, ms } = await engine.gc({ recordsMs: KEPT_RECORDS_MS });
  return { objects: removed.blobs + removed.trees, bytes: removed.bytes, ms };
}
