import type { StageContext, Stages } from './context.js';
import { Resolver } from './resolve.js';

/** Resolvers for many stages of one moment, so that what two of them read is looked at once. */
export interface SharedResolvers {
  /** A resolver for environments of this name; one of its own for a stage among other stages than the shared ones. */
  get(context: StageContext, envName: string): Resolver;
  /** What was found out may be otherwise now: something was run, restored or committed. */
  forget(): void;
}

/** Shares resolvers among the stages of `stages`. They tell what they have to say to `emit`, since no single stage has asked. */
export function createSharedResolvers(stages: Stages, emit: StageContext['emit']): SharedResolvers {
  const byEnv = new Map<string, Resolver>();
  return {
    get: (context, envName) => {
      if (context.stages !== stages) return new Resolver(context);
      const known = byEnv.get(envName) ?? new Resolver({ ...context, emit });
      byEnv.set(envName, known);
      return known;
    },
    forget: () => byEnv.clear(),
  };
}
