import { SluiceError } from '../errors.js';
import { type Commit, resolveRev } from '../history/git.js';
import { lockTextsAt } from '../history/lock-history.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { type Lock, type LockedStage, parseLock } from '../model/lock.js';
import type { Part } from '../model/parts.js';
import { parseRelPath, type RelPath } from '../model/path.js';
import { placeOf } from '../stage/decide.js';
import { lockPath } from '../stage/lock-file.js';
import { paramName, paramPart, paramValue, readParamFile } from '../stage/params.js';
import { Resolver } from '../stage/resolve.js';
import type { Stage, StageId } from '../stage/stage.js';
import type { NodeReader } from '../store/trees.js';
import { snapshotNodes } from '../workspace/snapshot-nodes.js';
import type { OperationContext } from './context.js';
import type { Selected } from './select.js';
import type { Version } from './versions.js';

/** A state of all data: what lies in the workspace, what its locks say, or what those of a revision say. */
export type SideName =
  | { readonly kind: 'workspace' | 'lock' }
  | { readonly kind: 'revision'; readonly rev: string; readonly commit: Commit };

/** An out on one side. */
export interface SideOut extends Version {
  /** Only a part of it was put in place, and that part was changed: what is missing was not deleted. */
  readonly isPart: boolean;
}

/** The params of a stage. */
export interface StageParams {
  readonly id: StageId;
  readonly parts: readonly Part[];
}

/** One side of a comparison, by names that both sides have in common. */
export interface Side {
  readonly name: SideName;
  readonly outs: ReadonlyMap<string, SideOut>;
  /** Parts of kind `param`, by stage. */
  readonly params: ReadonlyMap<string, StageParams>;
  /** Nodes of what lies in the workspace, by the hex of their digests. */
  readonly nodes: ReadonlyMap<string, Buffer>;
}

/** Reads the name of a side: `workspace`, `lock`, or a revision. Throws `ERR_REVISION`. */
export async function sideNamed({ workspace, signal }: OperationContext, name: string): Promise<SideName> {
  if (name === 'workspace' || name === 'lock') return { kind: name };
  return { kind: 'revision', rev: name, commit: await resolveRev(workspace.root, name, { signal }) };
}

/** Trees of the store with those of a side laid over them. */
export function nodeReader(store: NodeReader, nodes: ReadonlyMap<string, Buffer>): NodeReader {
  if (nodes.size === 0) return store;
  return {
    read: (kind, raw, rawAt = 0) =>
      (kind === 'tree' ? nodes.get(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES)) : undefined) ??
      store.read(kind, raw, rawAt),
  };
}

/**
 * What a side has of the stages that are selected; when all are, also of stages and outs that are not declared any more. An out that is not in the workspace, or only in part,
 * counts there as what its lock names. Throws what parsing locks and looking at files throws.
 */
export async function readSide(
  context: OperationContext,
  selected: readonly Selected[],
  isAll: boolean,
  name: SideName,
): Promise<Side> {
  const entries = await lockEntries(context, selected, isAll, name);
  const outs = new Map<string, SideOut>();
  const params = new Map<string, StageParams>();
  const nodes = new Map<string, Buffer>();
  const rev = name.kind === 'revision' ? name.rev : undefined;
  for (const { id, projectRoot, entry, choice } of entries) {
    const declared = new Map(choice?.stage.outs.map((out) => [out.path, out]));
    for (const [path, root] of entry.outs) {
      const known = declared.get(path);
      const out = known ?? { path, remote: undefined, push: true };
      const filter = known && choice?.filterOf?.(known);
      outs.set(outKey(projectRoot, id.target, path), {
        stage: { id },
        out,
        root,
        filter,
        rev,
        isPart: false,
      });
    }
    params.set(stageKey(projectRoot, id.target), { id, parts: entry.parts.filter(({ kind }) => kind === 'param') });
  }
  if (name.kind === 'workspace') await layWorkspaceOver(context, selected, outs, params, nodes);
  return { name, outs, params, nodes };
}

interface Entry {
  readonly id: StageId;
  readonly projectRoot: RelPath;
  readonly entry: LockedStage;
  /** `undefined` if nobody declares the stage any more. */
  readonly choice: Selected | undefined;
}

async function lockEntries(
  context: OperationContext,
  selected: readonly Selected[],
  isAll: boolean,
  name: SideName,
): Promise<Entry[]> {
  const choices = new Map(
    selected.map((choice) => [stageKey(choice.stage.projectRoot, choice.stage.id.target), choice]),
  );
  const projects = new Map([...context.projects.projects.values()].map((project) => [lockPath(project.root), project]));
  const entries: Entry[] = [];
  for (const [path, lock] of await locksOn(context, selected, isAll, name)) {
    const project = projects.get(path);
    const projectRoot = parseRelPath(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    for (const [target, entry] of lock.stages) {
      const id = { project: project?.name ?? (projectRoot === '' ? '.' : projectRoot), target };
      const choice = choices.get(stageKey(projectRoot, id.target));
      if (choice !== undefined || isAll) entries.push({ id, projectRoot, entry, choice });
    }
  }
  return entries;
}

/** The locks of a side, by their paths. Those that belong to no project are left out where they cannot be read. */
async function locksOn(
  context: OperationContext,
  selected: readonly Selected[],
  isAll: boolean,
  name: SideName,
): Promise<Map<RelPath, Lock>> {
  const roots = [
    ...selected.map(({ stage }) => stage.projectRoot),
    ...(isAll ? [...context.projects.projects.values()].map(({ root }) => root) : []),
  ];
  const wanted = new Map(roots.map((root) => [lockPath(root), root]));
  const locks = new Map<RelPath, Lock>();
  if (name.kind !== 'revision') {
    for (const [path, root] of wanted) locks.set(path, context.readLock(root));
    return locks;
  }
  const { workspace, signal } = context;
  for (const [path, text] of await lockTextsAt(workspace.root, name.commit, { signal })) {
    if (wanted.has(path)) locks.set(path, parseLock(text, `${name.rev}:${path}`));
    else if (isAll) addIfReadable(locks, path, text);
  }
  return locks;
}

function addIfReadable(locks: Map<RelPath, Lock>, path: RelPath, text: string): void {
  try {
    locks.set(path, parseLock(text, path));
  } catch (error) {
    // The lock of a project that is gone is nobody's to repair.
    if (!(error instanceof SluiceError)) throw error;
  }
}

async function layWorkspaceOver(
  context: OperationContext,
  selected: readonly Selected[],
  outs: Map<string, SideOut>,
  params: Map<string, StageParams>,
  nodes: Map<string, Buffer>,
): Promise<void> {
  const resolver = new Resolver(context);
  for (const { stage, filterOf } of selected) {
    for (const out of stage.outs) {
      const key = outKey(stage.projectRoot, stage.id.target, out.path);
      const observed = await resolver.observed(out.path);
      const place = placeOf(observed, outs.get(key)?.root);
      if (observed === undefined || place === 'partial') continue;
      const { root, snapshot, changedPartOf } = observed;
      const isPart = changedPartOf !== undefined;
      outs.set(key, { stage, out, root, filter: filterOf?.(out), rev: undefined, isPart });
      if (place === 'modified' && root.kind === 'tree') {
        for (const [digest, bytes] of snapshotNodes(snapshot)) nodes.set(digest, bytes);
      }
    }
    const key = stageKey(stage.projectRoot, stage.id.target);
    params.set(key, { id: stage.id, parts: await paramsNow(context, stage, params.get(key)?.parts ?? []) });
  }
}

/** The params as their files have them now. One that cannot be read counts as the lock has it. */
async function paramsNow(context: OperationContext, stage: Stage, locked: readonly Part[]): Promise<readonly Part[]> {
  const now: Part[] = [];
  for (const param of stage.params) {
    try {
      const { root } = context.workspace;
      now.push(paramPart(param, await paramValue(param.file, await readParamFile(root, param.file))));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const before = locked.find(({ name }) => name === paramName(param));
      if (before !== undefined) now.push(before);
    }
  }
  return now;
}

/** What an out is called on both sides. */
function outKey(projectRoot: RelPath, target: string, path: RelPath): string {
  return [projectRoot, target, path].join('\0');
}

function stageKey(projectRoot: RelPath, target: string): string {
  return [projectRoot, target].join('\0');
}
