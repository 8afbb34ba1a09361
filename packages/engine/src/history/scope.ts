import { SluiceError } from '../errors.js';
import { type Commit, isGitWorkspace, parseCommit, resolveRev } from './git.js';
import { failureOf, type GitOptions, git, runGit } from './run-git.js';

/** Which commits of the history count; all that is set adds up. */
export interface HistoryScope {
  /** The tips of local and remote-tracking branches. */
  readonly allBranches?: boolean;
  /** The commits that tags name. */
  readonly allTags?: boolean;
  /** Every commit that any ref or `HEAD` reaches. */
  readonly allCommits?: boolean;
  readonly revs?: readonly string[];
  /** Every commit since then: an ISO 8601 date or time, or `2 weeks ago`. */
  readonly since?: string;
  /** The last commits of `HEAD`, itself included. */
  readonly num?: number;
}

/** Commits with their parents; newer ones come first within each part of the scope. */
export type CommitGraph = ReadonlyMap<Commit, readonly Commit[]>;

/**
 * The commits of a scope. Throws `ERR_REVISION` outside a repository and for a revision or date that cannot be read: git itself would take a
 * mistyped date for the present, and then nothing would be in scope.
 */
export async function commitsIn(root: string, scope: HistoryScope, options: GitOptions = {}): Promise<CommitGraph> {
  const commits = new Map<Commit, readonly Commit[]>();
  const add = async (args: readonly string[]): Promise<void> => {
    const listed = await git(root, ['rev-list', '--parents', ...args], options);
    for (const line of listed.toString('utf8').split('\n')) {
      const [commit, ...parents] = line.split(' ').flatMap((name) => parseCommit(name) ?? []);
      if (commit !== undefined) commits.set(commit, parents);
    }
  };
  const tips: string[] = [];
  for (const rev of scope.revs ?? []) tips.push(await resolveRev(root, rev, options));
  if (scope.allBranches === true) tips.push('--branches', '--remotes');
  if (scope.allTags === true) tips.push('--tags');
  if (tips.length > 0) await add(['--no-walk=unsorted', ...tips]);
  if (scope.allCommits === true) await add(['--all']);
  if (scope.since !== undefined) await add(['--all', `--since=${parseSince(scope.since)}`]);
  if (scope.num !== undefined && (await hasCommits(root, options)))
    await add(['-n', String(parseNum(scope.num)), 'HEAD']);
  return commits;
}

/** A date in a form that git reads as it was meant: a day alone begins at midnight. */
function parseSince(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return `${text}T00:00:00`;
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  if (/^\d+[ .](?:second|minute|hour|day|week|month|year)s?[ .]ago$/.test(text)) return text;
  throw new SluiceError('ERR_REVISION', `not a date: ${JSON.stringify(text)}`, {
    hint: 'Write 2026-01-31, 2026-01-31T12:00:00Z or "2 weeks ago".',
  });
}

function parseNum(num: number): number {
  if (Number.isSafeInteger(num) && num >= 0) return num;
  throw new SluiceError('ERR_REVISION', `not a number of commits: ${num}`, { hint: 'Write a whole number.' });
}

async function hasCommits(root: string, options: GitOptions): Promise<boolean> {
  const head = await runGit(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], options);
  if (head.status !== 0 && !(await isGitWorkspace(root, options))) throw await failureOf(root, head, options);
  return head.status === 0;
}
