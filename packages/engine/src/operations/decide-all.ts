import { inParallel } from '../remote/parallel.js';
import { type Decision, decide } from '../stage/decide.js';
import type { Resolver } from '../stage/resolve.js';
import { type Stage, stageName } from '../stage/stage.js';

/** What is asked for a stage that changed are a few requests to a remote, one after another. */
const AT_ONCE = 16;

/** Decides about many stages of one moment, so that they wait for a remote together. By name. */
export async function decideAll(resolver: Resolver, stages: readonly Stage[]): Promise<Map<string, Decision>> {
  const decisions = await inParallel(stages, AT_ONCE, (stage) => decide(resolver, stage));
  return new Map(
    stages.flatMap(({ id }, at) => {
      const decision = decisions[at];
      return decision === undefined ? [] : [[stageName(id), decision] as const];
    }),
  );
}
