import { SluiceError } from '../errors.js';
import { resolveRev } from '../history/git.js';
import { locksOf, lockTextsAt } from '../history/lock-history.js';
import { git } from '../history/run-git.js';
import type { Digest } from '../model/digest.js';
import { parseLock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { lockPath } from '../stage/lock-file.js';
import type { Out } from '../stage/stage.js';
import { formatBytes, plural } from '../text/index.js';
import type { OperationContext } from './context.js';
import type { PrePushReport, PushReport } from './reports.js';

/** A ref that git is about to publish: the commit that it gets, and the one that the other side has, as git tells a hook. */
export interface RefUpdate {
  readonly local: string;
  readonly remote: string;
}

/** What git pushes, and to which of its remotes. */
export interface PrePushOptions {
  readonly remote: string;
  readonly updates: readonly RefUpdate[];
}

/** Branches of the other side that are looked at for what it knows already. */
const MOST_BRANCHES = 50;

/**
 * Looks whether the data that the locks of the commits name which git is about to publish is on a remote; what the other side's branches name already is not looked at. With `hooks.prePush` as `push`, `push` is
 * called for those commits first. Throws `ERR_NOT_PUSHED` for data that no remote holds, `ERR_REMOTE_DOWN` if a remote that might hold it does not answer, and what `push` throws.
 * Without remotes there is nothing to look for.
 */
export async function prePush(
  context: OperationContext,
  { remote, updates }: PrePushOptions,
  push: (revs: readonly string[]) => Promise<PushReport>,
): Promise<PrePushReport> {
  if (context.config.remotes.size === 0) return { checked: 0, pushed: null };
  const tips = [...new Set(updates.map(({ local }) => local))].filter((oid) => !isNothing(oid));
  const named = await namedAt(context, tips);
  for (const digest of await knownThere(context, remote, updates)) named.delete(digest);
  let lacking = await notHeld(context, [...named.values()]);
  if (lacking.length === 0) return { checked: named.size, pushed: null };
  if (context.config.hooks.prePush !== 'push') throw refusal(lacking);
  const pushed = await push(tips);
  lacking = await notHeld(
    context,
    lacking.map(({ item }) => item),
  );
  if (lacking.length > 0) throw refusal(lacking);
  return { checked: named.size, pushed };
}

/** A root that a lock names, with its declaration where the present workspace has one. */
interface Named {
  readonly root: OutRoot;
  readonly project: string;
  readonly target: string;
  readonly path: RelPath;
  readonly out: Out | undefined;
}

interface Lacking {
  readonly item: Named;
  /** A remote that may hold it did not answer. */
  readonly unknown: boolean;
}

/** What the locks at commits name and is to be on a remote, by digest. */
async function namedAt(context: OperationContext, tips: readonly string[]): Promise<Map<Digest, Named>> {
  const { workspace, signal, stages } = context;
  const named = new Map<Digest, Named>();
  for (const tip of tips) {
    for (const [path, text] of await lockTextsAt(workspace.root, tip, { signal })) {
      for (const [target, stage] of parseLock(text, `${tip.slice(0, 12)}:${path}`).stages) {
        const owner = stages.all.find(({ id, projectRoot }) => lockPath(projectRoot) === path && id.target === target);
        for (const [outPath, root] of stage.outs) {
          const out = owner?.outs.find((one) => one.path === outPath);
          if (out !== undefined && (!out.push || !out.cache)) continue;
          named.set(root.digest, { root, project: owner?.id.project ?? path, target, path: outPath, out });
        }
      }
    }
  }
  return named;
}

/** What the branches of the other side name: whoever published that answers for it. */
async function knownThere(
  { workspace, signal }: OperationContext,
  remote: string,
  updates: readonly RefUpdate[],
): Promise<Digest[]> {
  const listed = await git(
    workspace.root,
    [
      'for-each-ref',
      `--count=${MOST_BRANCHES}`,
      '--sort=-committerdate',
      '--format=%(objectname)',
      `refs/remotes/${remote}/`,
    ],
    { signal },
  );
  const revs: string[] = [];
  for (const oid of new Set([...updates.map((update) => update.remote), ...listed.toString('utf8').split('\n')])) {
    if (oid === '' || isNothing(oid)) continue;
    // What the other side has need not be here.
    if (await isHere(oid)) revs.push(oid);
  }
  const digests: Digest[] = [];
  for await (const { text, path, rev } of locksOf(workspace.root, { revs }, { signal })) {
    digests.push(...rootsIn(text, `${rev.slice(0, 12)}:${path}`));
  }
  return digests;

  async function isHere(oid: string): Promise<boolean> {
    return await resolveRev(workspace.root, oid, { signal }).then(
      () => true,
      () => false,
    );
  }
}

function rootsIn(text: string, where: string): Digest[] {
  try {
    return [...parseLock(text, where).stages.values()].flatMap(({ outs }) =>
      [...outs.values()].map(({ digest }) => digest),
    );
  } catch (error) {
    // A lock that was published and that nobody can read vouches for nothing.
    if (error instanceof SluiceError && error.exitCode === 4) return [];
    throw error;
  }
}

async function notHeld(context: OperationContext, items: readonly Named[]): Promise<Lacking[]> {
  const lacking: Lacking[] = [];
  const { remotes, defaultRemote } = context.config;
  for (const item of items) {
    const first = item.out?.remote ?? defaultRemote;
    const names = new Set([...(first !== undefined && remotes.has(first) ? [first] : []), ...remotes.keys()]);
    let unknown = false;
    let held = false;
    for (const name of names) {
      const state = await context.remotes.state(name, item.root);
      held = state === 'complete';
      unknown ||= state === 'unknown' || state === 'down';
      if (held) break;
    }
    if (!held) lacking.push({ item, unknown });
  }
  return lacking;
}

function refusal(lacking: readonly Lacking[]): SluiceError {
  const [first] = lacking;
  const files = lacking.reduce((sum, { item }) => sum + item.root.files, 0);
  const bytes = lacking.reduce((sum, { item }) => sum + item.root.bytes, 0);
  const name = first === undefined ? '' : `${first.item.project}:${first.item.target} ${first.item.path}`;
  const others = lacking.length > 1 ? ` and ${plural(lacking.length - 1, 'other out')}` : '';
  const what = `${name}${others}, ${plural(files, 'file')} (${formatBytes(bytes)})`;
  const details = {
    outs: lacking.map(({ item: { project, target, path, root } }) => ({ project, target, path, digest: root.digest })),
  };
  if (lacking.every(({ unknown }) => unknown)) {
    return new SluiceError('ERR_REMOTE_DOWN', `no remote answered whether it holds ${what}`, {
      hint: 'Push when it answers, or publish the locks without their data: git push --no-verify',
      details,
    });
  }
  return new SluiceError('ERR_NOT_PUSHED', `no remote holds ${what}`, {
    hint: 'Run `sluice push` first, or set "hooks": {"prePush": "push"} in sluice.json; `git push --no-verify` publishes the locks without their data.',
    details,
  });
}

function isNothing(oid: string): boolean {
  return /^0+$/.test(oid);
}
