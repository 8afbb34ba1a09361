import type { Engine } from '@sluice/engine';

/** The stages, all of them for an empty list, whose results are whole in the store, so that they can be sent. */
export async function completeStages(engine: Pick<Engine, 'status'>, select: readonly string[]): Promise<string[]> {
  const { stages } = await engine.status({ select });
  return stages
    .filter(({ outs }) => outs.some(({ digest }) => digest !== null) && outs.every(({ store }) => store === 'complete'))
    .map(({ project, target }) => `${project}:${target}`);
}
