import { type Commit, parseCommit } from './git.js';
import type { LoggedCommit } from './log-locks.js';
import { type GitOptions, git } from './run-git.js';

const FORMAT = '%(refname)%00%(objectname)%00%(*objectname)';

/**
 * The branches, remote-tracking branches and tags for which a commit of the log is the nearest one, full names, sorted. Two git processes; only commits that are
 * newer than the log are walked. Throws `ERR_REVISION`.
 */
export async function refsInLog(
  root: string,
  logged: readonly Pick<LoggedCommit, 'commit'>[],
  options: GitOptions = {},
): Promise<Map<Commit, string[]>> {
  const refs = new Map<Commit, string[]>();
  const inLog = new Set(logged.map(({ commit }) => commit));
  if (inLog.size === 0) return refs;
  const listed = await git(
    root,
    ['for-each-ref', `--format=${FORMAT}`, 'refs/heads', 'refs/remotes', 'refs/tags'],
    options,
  );
  const tips: (readonly [name: string, commit: Commit])[] = [];
  for (const line of listed.toString('utf8').split('\n')) {
    const [name = '', object = '', peeled = ''] = line.split('\0');
    // A tag of its own names a commit, as a rule; what names anything else is not in the log.
    const commit = parseCommit(peeled) ?? parseCommit(object);
    if (commit !== undefined && !name.endsWith('/HEAD')) tips.push([name, commit]);
  }
  const outside = [...new Set(tips.map(([, commit]) => commit))].filter((commit) => !inLog.has(commit));
  const parents = await parentsUpTo(root, outside, inLog, options);
  for (const [name, tip] of tips) {
    const commit = nearest(tip, inLog, parents);
    if (commit !== undefined) refs.set(commit, [...(refs.get(commit) ?? []), name]);
  }
  return refs;
}

/** The parents of all commits that `tips` reach and the log does not. */
async function parentsUpTo(
  root: string,
  tips: readonly Commit[],
  inLog: ReadonlySet<Commit>,
  options: GitOptions,
): Promise<Map<string, readonly Commit[]>> {
  const parents = new Map<string, readonly Commit[]>();
  if (tips.length === 0) return parents;
  const input = [...tips, ...[...inLog].map((commit) => `^${commit}`)].map((line) => `${line}\n`).join('');
  // A tag of something that is no commit is left out.
  const listed = await git(root, ['rev-list', '--parents', '--ignore-missing', '--stdin'], { ...options, input });
  for (const line of listed.toString('utf8').split('\n')) {
    const [commit, ...before] = line.split(' ').flatMap((name) => parseCommit(name) ?? []);
    if (commit !== undefined) parents.set(commit, before);
  }
  return parents;
}

function nearest(
  tip: Commit,
  inLog: ReadonlySet<Commit>,
  parents: ReadonlyMap<string, readonly Commit[]>,
): Commit | undefined {
  const seen = new Set<Commit>([tip]);
  // First parents first: the branch that others were merged into.
  for (const commit of seen) {
    if (inLog.has(commit)) return commit;
    for (const parent of parents.get(commit) ?? []) seen.add(parent);
  }
  return undefined;
}
