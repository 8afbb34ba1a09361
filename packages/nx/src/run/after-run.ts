import type { BackgroundReport, Engine } from '@sluice/engine';
import { asSluiceError, wantedAfterRun } from '@sluice/engine/summary';
import type { AfterRun } from './summary.js';
import type { TaskNote } from './task-note.js';

/** A collection after a run also keeps the results of the last two weeks: whoever changes back gets them without a run. */
const KEPT_RECORDS_MS = 14 * 86_400_000;

type Env = Readonly<Record<string, string | undefined>>;
type Pushed = AfterRun['push'];
type Failures = AfterRun['errors'][number][];

/**
 * Does what the configuration says after a run: sends what the stages of this run have and what was not sent beside it (`beside`), then collects. Never throws: a remote that is down makes a run no failure.
 */
export async function afterRun(
  root: string,
  env: Env,
  notes: readonly TaskNote[],
  beside?: BackgroundReport,
): Promise<AfterRun> {
  const errors: Failures = [];
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
    // A remote that did not answer a moment ago is not asked again.
    const isDown = beside !== undefined && beside.error !== null;
    if (isDown) errors.push({ what: 'push', code: beside.error.code, message: beside.error.message });
    const pushed = wanted.push && !isDown ? await attempt('push', () => pushStages(engine, notes, errors)) : null;
    const push = pushedInAll(beside, pushed);
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

async function pushStages(engine: Engine, notes: readonly TaskNote[], errors: Failures): Promise<Pushed> {
  const done = notes.filter(({ outcome }) => outcome !== 'failed');
  const select = [...new Set(done.map(({ project, target }) => `${project}:${target}`))];
  if (select.length === 0) return null;
  const { remotes, files, bytes, ms } = await engine.push({ select });
  for (const { error } of remotes)
    if (error !== null) errors.push({ what: 'push', code: error.code, message: error.message });
  return { remote: remotes.map(({ remote }) => remote).join(', '), files: files.sent, bytes: bytes.sent, ms };
}

/** What was sent beside a run and after it. */
function pushedInAll(beside: BackgroundReport | undefined, after: Pushed): Pushed {
  if (beside === undefined || beside.files === 0) return after;
  const { remotes, files, bytes } = beside;
  const names = new Set([...remotes, ...(after === null ? [] : after.remote.split(', '))]);
  return {
    remote: [...names].join(', '),
    files: files + (after?.files ?? 0),
    bytes: bytes + (after?.bytes ?? 0),
    ms: after?.ms ?? 0,
  };
}

async function collect(engine: Engine): Promise<AfterRun['gc']> {
  const { removed, ms } = await engine.gc({ recordsMs: KEPT_RECORDS_MS });
  return { objects: removed.blobs + removed.trees, bytes: removed.bytes, ms };
}
