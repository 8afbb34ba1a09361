import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../errors.js';
import { type CommitWords, commitFiles, fetchBranch, pushCommit } from '../history/commit-files.js';
import { type Commit, resolveRev } from '../history/git.js';
import { lockTextsAt } from '../history/lock-history.js';
import { type GitOptions, git } from '../history/run-git.js';
import { digestOf, hexOf } from '../model/digest.js';
import { type Lock, parseLock, printLock } from '../model/lock.js';
import { sameStage } from '../model/merge/merge-locks.js';
import { rebaseLock } from '../model/merge/rebase-lock.js';
import type { RelPath } from '../model/path.js';
import { lockPath, readLockFile } from '../stage/lock-file.js';
import { stageName } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { prePush } from './pre-push.js';

/** Where locks are published, and how. */
export interface PublishLocksOptions extends CommitWords {
  /** A remote of git. */
  readonly remote: string;
  /** The branch that the checkout belongs to. */
  readonly branch: string;
  /** Instead of to `branch`, push to a new branch whose name begins so. The same locks on the same commit have the same name. */
  readonly newBranch?: string;
  /** The environment of git, with what it needs to reach its remote. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What was published. */
export interface PublishLocksReport {
  /** `null` if the branch has it all. */
  readonly commit: string | null;
  readonly branch: string;
  /** Lock files in the commit, relative to the workspace root. */
  readonly locks: readonly string[];
  /** Entries that stay as the branch has them. */
  readonly left: readonly LeftEntry[];
  readonly pushes: number;
}

/**
 * An entry that is not published. `changed-there`: others have changed it meanwhile. `kept-in-git`: git keeps an out of the stage that is not as git has it, and a lock that names another file than
 * git has would call it modified in each clone.
 */
export interface LeftEntry {
  readonly lock: string;
  readonly target: string;
  readonly why: 'changed-there' | 'kept-in-git';
}

/** So often a branch may be moved by others while we push. */
const MOST_PUSHES = 5;
const FIRST_WAIT_MS = 200;
const NONE: Lock = { stages: new Map() };

/**
 * Commits the locks of the declared projects, as they lie in the workspace, on the tip of a branch and pushes the commit, without force. If somebody was faster the locks are put onto the new tip, stage by
 * stage, and it is tried again. Throws `ERR_LOCKS_NOT_PUBLISHED` if the branch does not take it, what `prePush` throws for data that no remote holds, and `ERR_LOCK_CONFLICT` for a lock that nobody has resolved.
 */
export async function publishLocks(
  context: OperationContext,
  options: PublishLocksOptions,
): Promise<PublishLocksReport> {
  const { root } = context.workspace;
  const { remote, branch } = options;
  // What git says is looked at, and must not be in the language of the user.
  const gitOptions = { signal: context.signal, env: { ...options.env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' } };
  const head = await resolveRev(root, 'HEAD', gitOptions);
  const before = await locksAt(context, head);
  const { mine, kept } = changedLocks(context, before, await stagesAheadOfGit(context, gitOptions));
  const nothing = { commit: null, branch, locks: [] };
  if (mine.size === 0) return { ...nothing, left: kept, pushes: 0 };
  let tip: Commit = head;
  for (let pushes = 1; pushes <= MOST_PUSHES; pushes++) {
    const { files, left: changed } = rebase(before, mine, tip === head ? before : await locksAt(context, tip));
    const left = [...kept, ...changed];
    if (files.size === 0) return { ...nothing, left, pushes: pushes - 1 };
    const commit = await commitFiles(root, tip, files, options, gitOptions);
    await prePush(context, { remote, updates: [{ local: commit, remote: tip }] }, () => {
      throw new SluiceError('ERR_NOT_PUSHED', 'the data that the locks name is on no remote');
    });
    const to = options.newBranch === undefined ? branch : `${options.newBranch}${nameOf(head, files)}`;
    const pushed = await pushCommit(root, { remote, branch: to, commit }, gitOptions);
    const report = { branch: to, locks: [...files.keys()], left, pushes };
    if (pushed.kind === 'done') return { commit, ...report };
    if (pushed.kind === 'refused') throw refusal(to, pushed.message);
    const there = await fetchBranch(root, { remote, branch: to }, gitOptions);
    if (options.newBranch !== undefined) {
      // An attempt before this one may have pushed the same.
      if (there !== undefined && (await treeOf(root, there)) === (await treeOf(root, commit)))
        return { commit: there, ...report };
      throw refusal(to, 'there is a branch of this name with something else');
    }
    if (there === undefined) throw refusal(to, 'the branch is gone');
    tip = there;
    await sleep(FIRST_WAIT_MS * 2 ** (pushes - 1) * (0.5 + Math.random()), undefined, { signal: context.signal });
  }
  throw refusal(branch, `others pushed to it each of ${MOST_PUSHES} times`);
}

/** Locks of projects with stages that are not as `before`, with the entries of `ahead` as they were; one that is absent here is not taken for removed. */
function changedLocks(
  { workspace, stages }: OperationContext,
  before: ReadonlyMap<RelPath, Lock>,
  ahead: ReadonlySet<string>,
): { readonly mine: Map<RelPath, Lock>; readonly kept: LeftEntry[] } {
  const mine = new Map<RelPath, Lock>();
  const kept: LeftEntry[] = [];
  for (const project of new Set(stages.all.map(({ projectRoot }) => projectRoot))) {
    const path = lockPath(project);
    const was = before.get(path) ?? NONE;
    const entries = new Map(readLockFile(workspace.root, project).stages);
    if (entries.size === 0) continue;
    for (const { id, projectRoot } of stages.all) {
      if (projectRoot !== project || !ahead.has(stageName(id))) continue;
      if (sameStage(was.stages.get(id.target), entries.get(id.target))) continue;
      kept.push({ lock: path, target: id.target, why: 'kept-in-git' });
      const entry = was.stages.get(id.target);
      if (entry === undefined) entries.delete(id.target);
      else entries.set(id.target, entry);
    }
    const text = printLock({ stages: entries });
    if (text !== printLock(was)) mine.set(path, { stages: entries });
  }
  return { mine, kept };
}

/** The names of the stages with an out that git keeps, and that is not as the commit has it. */
async function stagesAheadOfGit({ workspace, stages }: OperationContext, options: GitOptions): Promise<Set<string>> {
  const outs = stages.all.flatMap(({ id, outs: all }) =>
    all.flatMap(({ cache, path }) => (cache ? [] : [{ id, path }])),
  );
  if (outs.length === 0) return new Set();
  const args = ['--literal-pathspecs', 'status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--'];
  const ahead = new Set<string>();
  for (const { id, path } of outs) {
    const status = await git(workspace.root, [...args, path], options);
    if (status.length > 0) ahead.add(stageName(id));
  }
  return ahead;
}

function rebase(
  before: ReadonlyMap<RelPath, Lock>,
  mine: ReadonlyMap<RelPath, Lock>,
  onto: ReadonlyMap<RelPath, Lock>,
): { readonly files: Map<RelPath, string>; readonly left: LeftEntry[] } {
  const files = new Map<RelPath, string>();
  const left: LeftEntry[] = [];
  for (const [path, lock] of mine) {
    const there = onto.get(path) ?? NONE;
    const rebased = rebaseLock(before.get(path) ?? NONE, lock, there);
    left.push(...rebased.left.map((target) => ({ lock: path, target, why: 'changed-there' as const })));
    const text = printLock(rebased.lock);
    if (text !== printLock(there)) files.set(path, text);
  }
  return { files, left };
}

async function locksAt({ workspace, signal }: OperationContext, commit: Commit): Promise<Map<RelPath, Lock>> {
  const texts = await lockTextsAt(workspace.root, commit, { signal });
  return new Map([...texts].map(([path, text]) => [path, parseLock(text, `${commit.slice(0, 12)}:${path}`)]));
}

function nameOf(head: Commit, files: ReadonlyMap<RelPath, string>): string {
  return hexOf(digestOf([head, ...[...files].flat()].join('\0'))).slice(0, 12);
}

async function treeOf(root: string, commit: Commit): Promise<string> {
  return (await git(root, ['rev-parse', '--verify', `${commit}^{tree}`])).toString('utf8').trim();
}

function refusal(branch: string, message: string): SluiceError {
  return new SluiceError('ERR_LOCKS_NOT_PUBLISHED', `the locks could not be pushed to ${branch}: ${message}`, {
    hint: 'Give the job `contents: write`. Where rules protect the branch, let a pull request carry the locks.',
    details: { branch },
  });
}
