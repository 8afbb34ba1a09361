import { compareUtf8, type RelPath } from '../model/path.js';
import { type Commit, parseCommit, resolveRev } from './git.js';
import { lockPath, readBlobs } from './lock-history.js';
import { failureOf, type GitOptions, runGit } from './run-git.js';

/** Where a log begins; all that is set adds up, and nothing means `HEAD`. */
export interface LogScope {
  /** Local and remote-tracking branches. */
  readonly allBranches?: boolean;
  readonly allTags?: boolean;
  /** Every ref. */
  readonly allCommits?: boolean;
  readonly revs?: readonly string[];
}

/** A commit that changed one of the locks that were asked for, or merged commits. */
export interface LoggedCommit {
  readonly commit: Commit;
  /** The nearest commits before it in the log; what was left out between them changed none of the locks. */
  readonly parents: readonly Commit[];
  readonly author: { readonly name: string; readonly email: string };
  /** ISO 8601 with the author's offset. */
  readonly date: string;
  readonly subject: string;
}

/** The history of some locks, newest first, children before parents. */
export interface LockLog {
  readonly commits: readonly LoggedCommit[];
  /** The text of a lock at a commit of the log; `undefined` where it does not exist. Equal texts are the same string. */
  textAt(commit: Commit, lock: RelPath): string | undefined;
}

/** Fields of a commit, in the order of {@link FORMAT}. */
const FIELDS = 6;
const FORMAT = '%H%x00%P%x00%an%x00%ae%x00%aI%x00%s%x00';

/** What the user has configured must not change what is printed. */
const CONFIG = ['-c', 'log.showSignature=false', '-c', 'log.follow=false', '-c', 'diff.renames=false'];

/**
 * The commits that touched locks, with the locks at each: two git processes and one per named revision, however many commits and locks there are. Each version of a
 * lock is read once. Empty where there are no commits. Throws `ERR_REVISION`.
 */
export async function logLocks(
  root: string,
  locks: readonly RelPath[],
  scope: LogScope,
  options: GitOptions = {},
): Promise<LockLog> {
  const tips = await tipsOf(root, scope, options);
  const logged = locks.length === 0 ? [] : await listCommits(root, locks, tips, options);
  const blobs = blobsAt(logged);
  const wanted = new Set([...blobs.values()].flatMap((byLock) => [...byLock.values()]));
  const texts = new Map<string, string>();
  for await (const [blob, text] of readBlobs(root, [...wanted].sort(compareUtf8), options)) texts.set(blob, text);
  return {
    commits: logged.map(({ commit }) => commit),
    textAt: (commit, lock) => texts.get(blobs.get(commit)?.get(lock) ?? ''),
  };
}

/** A commit with the locks that differ from its first parent; `undefined` for one that is gone. */
interface Change {
  readonly commit: LoggedCommit;
  readonly locks: Map<RelPath, string | undefined>;
}

async function tipsOf(root: string, scope: LogScope, options: GitOptions): Promise<string[]> {
  const tips: string[] = [];
  for (const rev of scope.revs ?? []) tips.push(await resolveRev(root, rev, options));
  if (scope.allBranches === true) tips.push('--branches', '--remotes');
  if (scope.allTags === true) tips.push('--tags');
  if (scope.allCommits === true) tips.push('--all');
  return tips.length === 0 ? ['HEAD'] : tips;
}

async function listCommits(
  root: string,
  locks: readonly RelPath[],
  tips: readonly string[],
  options: GitOptions,
): Promise<Change[]> {
  const args = [
    ...CONFIG,
    'log',
    // Parents are those in the log, side branches included, so that the state of a lock can be followed from a commit to its first parent.
    '--full-history',
    '--parents',
    '--topo-order',
    '--diff-merges=first-parent',
    '--raw',
    '-z',
    '--no-abbrev',
    '--no-renames',
    '--relative',
    '--no-color',
    '--encoding=UTF-8',
    `--format=${FORMAT}`,
    ...tips,
    '--',
    ...locks.map((lock) => `:(literal)${lock}`),
  ];
  const result = await runGit(root, args, options);
  if (result.status === 0) return parseLog(result.stdout.toString('utf8'));
  const isEmpty =
    tips[0] === 'HEAD' && (await runGit(root, ['rev-parse', '--verify', '--quiet', 'HEAD'], options)).status !== 0;
  const isRepository = (await runGit(root, ['rev-parse', '--git-dir'], options)).status === 0;
  if (isEmpty && isRepository) return [];
  throw await failureOf(root, result, options);
}

/** For each commit its fields, each ended by a NUL, then for each lock that differs `:<mode> <mode> <blob> <blob> <status>` and its path. */
function parseLog(text: string): Change[] {
  const changes: Change[] = [];
  const tokens = text.split('\0');
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at] ?? '';
    const [, mode, blob] = /^\n?:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*$/.exec(token) ?? [];
    const commit = parseCommit(token);
    if (blob !== undefined) {
      const path = lockPath('100644', tokens[at + 1]);
      // Gone, or a link by now.
      if (path !== undefined)
        changes[changes.length - 1]?.locks.set(path, mode?.startsWith('100') === true ? blob : undefined);
      at += 2;
    } else if (commit !== undefined) {
      changes.push({ commit: parseFields(commit, tokens.slice(at, at + FIELDS)), locks: new Map() });
      at += FIELDS;
    } else at++;
  }
  return changes;
}

function parseFields(commit: Commit, fields: readonly string[]): LoggedCommit {
  const [, parents = '', name = '', email = '', date = '', subject = ''] = fields;
  return {
    commit,
    parents: parents.split(' ').flatMap((parent) => parseCommit(parent) ?? []),
    author: { name, email },
    date,
    subject,
  };
}

/** Every lock at every commit: what the commit changed, laid over its first parent. */
function blobsAt(changes: readonly Change[]): Map<Commit, ReadonlyMap<RelPath, string>> {
  const states = new Map<Commit, ReadonlyMap<RelPath, string>>();
  // Parents come after children.
  for (const { commit, locks } of [...changes].reverse()) {
    const [first] = commit.parents;
    const before = (first === undefined ? undefined : states.get(first)) ?? new Map<RelPath, string>();
    if (locks.size === 0) {
      states.set(commit.commit, before);
      continue;
    }
    const after = new Map(before);
    for (const [path, blob] of locks) {
      if (blob === undefined) after.delete(path);
      else after.set(path, blob);
    }
    states.set(commit.commit, after);
  }
  return states;
}
