import { statusText } from '../sentences.js';
import type { Operation } from './operation.js';
import { namesOf, type StatusOptions, selectOf } from './options.js';

/** Says what state stages and outs are in. Changes nothing, and moves no data. */
export const status: Operation<StatusOptions> = async (engine, options, { project, verbose }) => {
  const { remote, exitCode } = options;
  const asked = remote === true ? ({ remotes: 'own' } as const) : namesOf(remote === false ? undefined : remote);
  const report = await engine.status({ select: selectOf(options, project), ...asked });
  const isClean = report.stages.every(({ state }) => state === 'unchanged');
  return { text: statusText(report, verbose), success: exitCode !== true || isClean };
};
