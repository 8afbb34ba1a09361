import { visible } from '@sluice/engine';
import type { CiRun } from './ci-run.js';
import type { Standing } from './standing.js';
import { relativeName } from './summary.js';

/** Says that a job works without any remote, what that costs, and what to do; `roots` are its workspaces that have none. `undefined` where each has one. */
export function noRemoteNotice(
  roots: readonly string[],
  checkout: string,
  { mayWrite }: Pick<Standing, 'mayWrite'>,
  { isSelfHosted }: Pick<CiRun, 'isSelfHosted'>,
): string | undefined {
  if (roots.length === 0) return undefined;
  const names = roots.map((root) => visible(relativeName(checkout, root)));
  const where = names.every((name) => name === '.') ? '' : ` for ${names.join(', ')}`;
  const cause = `no remote is configured${where}, and the runner gives no token for the cache of the repository`;
  return `${costOf(mayWrite, isSelfHosted)}: ${cause}. Add one to sluice.json (sluice remote add NAME URL), or give the URL of one as the input "remote".`;
}

function costOf(mayWrite: boolean, isSelfHosted: boolean): string {
  if (!mayWrite) return 'Results of other jobs cannot be restored';
  return isSelfHosted ? 'Results stay in the store of this runner alone' : 'Results are not kept after this job';
}
