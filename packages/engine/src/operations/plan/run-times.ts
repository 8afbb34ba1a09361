import { inParallel } from '../../remote/parallel.js';
import { readRecord as readRemoteRecord } from '../../remote/records.js';
import { isUnreachable } from '../../remote/remote.js';
import { type Stage, stageName } from '../../stage/stage.js';
import { readRunTime } from '../../store/records.js';
import type { OperationContext } from '../context.js';

/** Requests at once. */
const AT_ONCE = 16;
/** For a stage of a workspace in which nobody knows how long anything takes. */
const UNKNOWN_MS = 60_000;

/**
 * How long stages took when they made what their locks name, in ms, from the records of the store or else of the default remote. What nobody knows is taken for the median of the others. A remote that
 * does not answer knows nothing.
 */
export async function runTimes(context: OperationContext, stages: readonly Stage[]): Promise<(name: string) => number> {
  const found = await inParallel(stages, AT_ONCE, (stage) => lastTime(context, stage));
  const times = new Map(stages.map((stage, at) => [stageName(stage.id), found[at]]));
  const known = found.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  const usual = known[Math.floor(known.length / 2)] ?? UNKNOWN_MS;
  return (name) => Math.max(1, times.get(name) ?? usual);
}

async function lastTime(context: OperationContext, stage: Stage): Promise<number | undefined> {
  const fingerprint = context.readLock(stage.projectRoot).stages.get(stage.id.target)?.fingerprint;
  if (fingerprint === undefined) return undefined;
  const here = readRunTime(context.workspace.store, fingerprint);
  if (here > 0 || context.config.offline) return here > 0 ? here : undefined;
  const [opened] = context.remotes.openAll(undefined);
  if (opened === undefined || context.remotes.reach.failure(opened.remote) !== undefined) return undefined;
  try {
    return (await readRemoteRecord(opened.remote, fingerprint, context.signal))?.record.made.ms;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return undefined;
  }
}
