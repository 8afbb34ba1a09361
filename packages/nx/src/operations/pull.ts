import { pullText } from '../sentences.js';
import type { Operation } from './operation.js';
import { namesOf, type PullOptions, selectOf } from './options.js';

/** Brings what locks name from a remote, and puts it in place. */
export const pull: Operation<PullOptions> = async (engine, { remote, ...options }, { project }) => {
  const report = await engine.pull({ ...options, ...namesOf(remote), select: selectOf(options, project) });
  return { text: pullText(report), success: true };
};
