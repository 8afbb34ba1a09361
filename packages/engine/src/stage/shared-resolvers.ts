import type { StageContext, Stages } from './context.js';
import { Resolver } from './resolve.js';

/** Resolvers for many stages of one moment, so that what two of them read is looked at once. */
export interface SharedResolvers {
  /** A resolver with this environment; one of its own for a stage among other stages than the shared ones. */
  get(context: StageContext): Resolver;
  /** What was found out may be otherwise now: something was run, restored or committed. */
  forget(): void;
}

/** Shares resolvers among the stages of `stages`. They tell what they have to say to `emit`, since no single stage has asked. */
export function createSharedResolvers(stages: Stages, emit: StageContext['emit']): SharedResolvers {
  const byEnv = new Map<StageContext['env'], Resolver>();
  return {
    get: (context) => {
      if (context.stages !== stages) return new Resolver(context);
      const known = byEnv.get(context.env) ?? new Resolver({ ...context, emit });
      byEnv.set(context.env, known);
      return known;
    },
    forget: () => byEnv.clear(),
  };
}
