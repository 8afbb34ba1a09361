import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import type { Lock, LockedStage } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import { STAGE_HOLDS } from '../stage/hold.js';
import { createLockReader } from '../stage/lock-file.js';
import { type Stage, stageName } from '../stage/stage.js';
import type { Store } from '../store/store.js';
import { type BackgroundPush, backgroundPush } from './background-push.js';
import type { OperationContext } from './context.js';
import { push } from './push-data.js';
import { selectStages } from './select.js';
import { isSendable } from './sendable.js';

/** How to push while stages run. Times in ms. */
export interface WhileRunningOptions {
  /** All to each of these remotes, instead of each out to its own. */
  readonly remotes?: readonly string[];
  /** How often to look at what other processes have made; 500 if it is not given. */
  readonly everyMs?: number;
  /** It ends by itself when for so long nothing is new and no stage is held; two minutes if it is not given. */
  readonly idleMs?: number;
  /** Told of progress and warnings; by default whoever the engine tells. */
  readonly emit?: Emit;
}

const EVERY_MS = 500;
const IDLE_MS = 120_000;

/**
 * Follows the locks of a workspace, whoever writes them, and pushes each result that appears there from now on and is in the store. `open` gives the workspace as it is at that moment.
 */
export function pushWhileRunning(
  open: (signal: AbortSignal, emit: Emit) => OperationContext,
  { remotes, everyMs = EVERY_MS, idleMs = IDLE_MS, emit = () => {} }: WhileRunningOptions,
): BackgroundPush {
  const { workspace, stages, config } = open(new AbortController().signal, emit);
  const look = followLocks(workspace.root, stages.all, workspace.store);
  return backgroundPush({
    look: config.offline ? () => [] : look,
    push: async (select, signal, isLast) => {
      const context = open(signal, emit);
      const send = (): ReturnType<typeof push> =>
        push(context, selectStages(context.projects, context.stages, select), remotes === undefined ? {} : { remotes });
      return isLast ? await send() : await oneAtATime(context, signal, send);
    },
    isBusy: () => isAnyStageHeld(workspace.store),
    everyMs,
    idleMs,
  });
}

/**
 * Names of stages whose entries in their locks have changed since the last look, and whose data is here: what a lock only refers to came from elsewhere. The first look is made at once and
 * names none.
 */
function followLocks(root: string, stages: readonly Stage[], { reader }: Store): () => string[] {
  const readLock = createLockReader(root);
  const byProject = new Map<RelPath, Stage[]>();
  for (const stage of stages) byProject.set(stage.projectRoot, [...(byProject.get(stage.projectRoot) ?? []), stage]);
  const seen = new Map<RelPath, Lock>();
  let isFirst = true;
  const look = (): string[] => {
    const names: string[] = [];
    for (const [projectRoot, owners] of byProject) {
      const lock = tryRead(readLock, projectRoot);
      const before = seen.get(projectRoot);
      if (lock === undefined || lock === before) continue;
      seen.set(projectRoot, lock);
      if (isFirst) continue;
      reader.catalog.refresh();
      for (const stage of owners) {
        const entry = lock.stages.get(stage.id.target);
        if (entry === undefined || sameOuts(before?.stages.get(stage.id.target), entry)) continue;
        if (isSendable(reader, stage, entry)) names.push(stageName(stage.id));
      }
    }
    return names;
  };
  look();
  isFirst = false;
  return look;
}

/** A lock with merge markers, for example, is somebody else's to tell. */
function tryRead(readLock: (projectRoot: RelPath) => Lock, projectRoot: RelPath): Lock | undefined {
  try {
    return readLock(projectRoot);
  } catch (error) {
    if (error instanceof SluiceError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

function sameOuts(a: LockedStage | undefined, b: LockedStage): boolean {
  if (a === undefined || a.fingerprint !== b.fingerprint || a.outs.size !== b.outs.size) return false;
  return [...b.outs].every(([path, root]) => a.outs.get(path)?.digest === root.digest);
}

/** Two processes that follow the same workspaces would send the same bytes twice. */
async function oneAtATime<T>(
  { workspace, config }: OperationContext,
  signal: AbortSignal,
  send: () => Promise<T>,
): Promise<T | undefined> {
  const urls = [...config.remotes.values()].map(({ url }) => url).join('\n');
  const name = `push-${createHash('sha256').update(urls).digest('hex').slice(0, 32)}`;
  let held: Awaited<ReturnType<Store['acquire']>>;
  try {
    held = await workspace.store.acquire(name, { wait: false, what: 'pushing beside runs', signal });
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_HELD') return undefined;
    throw error;
  }
  try {
    return await send();
  } finally {
    held.release();
  }
}

/** Whether any process runs a stage with this store, as far as the names of files tell: one that died holds nothing for long. */
function isAnyStageHeld({ layout }: Store): boolean {
  try {
    const holds = readdirSync(layout.locks).filter((name) => name.startsWith(STAGE_HOLDS));
    return holds.some((name) => readdirSync(join(layout.locks, name)).length > 0);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
