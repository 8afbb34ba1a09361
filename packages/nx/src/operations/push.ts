import { pushFailure } from '@sluice/engine';
import { pushText } from '../sentences.js';
import type { Operation } from './operation.js';
import { namesOf, type PushOptions, scopeOf, selectOf } from './options.js';

/** Sends what locks name and the remote lacks. */
export const push: Operation<PushOptions> = async (engine, options, { project }) => {
  const { remote, dryRun } = options;
  const report = await engine.push({
    ...scopeOf(options),
    ...namesOf(remote),
    ...(dryRun === undefined ? {} : { dryRun }),
    select: selectOf(options, project),
  });
  const failure = pushFailure(report);
  const why = failure === undefined ? '' : `\n${failure.code}: ${failure.message}`;
  return { text: `${pushText(report)}${why}`, success: failure === undefined };
};
