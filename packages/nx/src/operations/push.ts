import { pushText } from '../sentences.js';
import type { Operation } from './operation.js';
import { type PushOptions, scopeOf, selectOf } from './options.js';

/** Sends what locks name and the remote lacks. */
export const push: Operation<PushOptions> = async (engine, options, { project }) => {
  const { remote, dryRun } = options;
  const report = await engine.push({
    ...scopeOf(options),
    ...(remote === undefined ? {} : { remote }),
    ...(dryRun === undefined ? {} : { dryRun }),
    select: selectOf(options, project),
  });
  return { text: pushText(report), success: true };
};
