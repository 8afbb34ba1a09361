import type { CiRun } from './ci-run.js';

/** How far a run is trusted: the area that it reads and writes in, and whether it may write at all. `why` is a sentence for people. */
export interface Standing {
  readonly area: string;
  readonly mayWrite: boolean;
  readonly why: string;
}

/** Whoever starts one of these wrote, or chose, the code that runs. */
export const BY_MEMBERS: readonly string[] = ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch'];

/** Decides how far a run is trusted, from its event and ref. What a pull request holds has no say in it. */
export function standingOf({ event, ref, isProtected, defaultBranch, pullRequest }: CiRun): Standing {
  if (event === 'pull_request') {
    if (pullRequest === undefined)
      return { area: 'shared', mayWrite: false, why: 'The event names no pull request, so nothing is written.' };
    const area = `pr/${pullRequest.number}`;
    return pullRequest.isFork
      ? { area, mayWrite: false, why: 'A pull request from a fork only reads.' }
      : { area, mayWrite: true, why: 'A pull request writes in an area of its own, which no branch reads.' };
  }
  if (ref.startsWith('refs/tags/'))
    return {
      area: 'trusted',
      mayWrite: false,
      why: 'A tag reads what protected branches have written, and writes nothing.',
    };
  if (event === 'merge_group')
    return { area: 'shared', mayWrite: true, why: 'A merge queue writes in the shared area.' };
  if (!BY_MEMBERS.includes(event))
    return {
      area: 'trusted',
      mayWrite: false,
      why: `Others can cause the event ${JSON.stringify(event)}, so nothing is written.`,
    };
  const isTrusted = isProtected || (defaultBranch !== undefined && ref === `refs/heads/${defaultBranch}`);
  return isTrusted
    ? { area: 'trusted', mayWrite: true, why: 'The default branch and protected branches write in the trusted area.' }
    : { area: 'shared', mayWrite: true, why: 'Other branches write in the shared area.' };
}
