import { SluiceError, toErrorWire } from '../errors.js';
import type { HistoryScope } from '../history/scope.js';
import type { OutRoot } from '../model/root.js';
import { Auditor } from '../remote/audit.js';
import { pushRoots } from '../remote/push.js';
import type { Remote } from '../remote/remote.js';
import { progress } from '../stage/progress.js';
import { completeness } from '../store/complete.js';
import { bulkEncoder } from '../workspace/bulk-encoder.js';
import type { OpenedRemote } from './connect-remote.js';
import type { OperationContext } from './context.js';
import { lockedHistory, namesHistory } from './history-roots.js';
import type { Finding, VerifyReport } from './reports.js';

/** Which remote is checked, how, and what is done about what is found. */
export interface VerifyRemoteOptions extends HistoryScope {
  /** The default remote if it is not given. */
  readonly remote?: string;
  /** Reads every object that the maps name and compares it with its digest. */
  readonly deep?: boolean;
  /** Sends what is lost or damaged again, from the store. */
  readonly repair?: boolean;
}

/**
 * Checks that a remote keeps what the locks of the workspace, and of a scope of revisions, name: a sound map for each root, and all that it leads to. Throws what
 * the remote throws, and `ERR_REVISION`.
 */
export async function verifyRemote(context: OperationContext, options: VerifyRemoteOptions): Promise<VerifyReport> {
  const startedMs = performance.now();
  const opened = context.remotes.open(options.remote);
  const { workspace, signal } = context;
  workspace.store.reader.catalog.refresh();
  const roots = await rootsFor(context, opened, options);
  const auditor = new Auditor({ remote: opened.remote, reader: workspace.store.reader, deep: options.deep, signal });
  const found = new Map<string, { readonly root: OutRoot; readonly error: SluiceError }[]>();
  for (const root of roots) {
    for (const { name, error } of await problemsOfRoot(opened.remote, auditor, root)) {
      const before = found.get(name);
      if (before === undefined) found.set(name, [{ root, error }]);
      else before.push({ root, error });
    }
  }
  const broken = new Set([...found.values()].flat().map(({ root }) => root));
  const healed =
    options.repair === true ? await repair(context, opened, auditor, broken, options.deep) : new Set<OutRoot>();
  const findings = [...found].flatMap(([name, uses]): Finding[] => {
    const [first] = uses;
    if (first === undefined) return [];
    const repaired = uses.every(({ root }) => healed.has(root));
    return [{ where: 'remote', name, problem: toErrorWire(first.error), repaired }];
  });
  const { objects, bytes } = auditor.checked;
  return { findings, checked: { objects, files: 0, bytes }, ms: Math.round(performance.now() - startedMs) };
}

interface RootProblem {
  readonly name: string;
  readonly error: SluiceError;
}

/** A root is kept if one map of it that counts as proof is sound; else all that is wrong with any of them. */
async function problemsOfRoot(remote: Remote, auditor: Auditor, root: OutRoot): Promise<RootProblem[]> {
  const all: RootProblem[] = [];
  if ((await remote.contact()) === 'used') {
    for (const area of remote.areas.proof) {
      const problems = await auditor.problemsOf(area, root.digest);
      if (problems?.length === 0) return [];
      for (const { key, error } of problems ?? []) all.push({ name: key, error });
    }
  }
  if (all.length > 0) return all;
  const error = new SluiceError('ERR_OBJECT_MISSING', `${remote.description} has no map of it`, {
    hint: 'Run `sluice push`, or `sluice verify --remote --repair`.',
    details: { digest: root.digest },
  });
  return [{ name: root.digest, error }];
}

/** Sends what is whole in the store; returns the roots that are sound then, by the same look as before. */
async function repair(
  context: OperationContext,
  { remote, name }: OpenedRemote,
  auditor: Auditor,
  broken: ReadonlySet<OutRoot>,
  deep: boolean | undefined,
): Promise<Set<OutRoot>> {
  const { store, bulk } = context.workspace;
  const { signal } = context;
  const encoder = bulkEncoder(bulk, store);
  const whole = [...broken].filter((root) => completeness(store.reader, root) === 'complete');
  const beginProgress = progress(context.emit, 'sending', name);
  for (const root of whole) {
    await pushRoots({ remote, store, roots: [{ root }], verify: true, auditor, encoder, beginProgress, signal });
  }
  await remote.flush({ signal });
  const again = new Auditor({ remote, reader: store.reader, deep, signal });
  const healed = new Set<OutRoot>();
  for (const root of whole) if ((await problemsOfRoot(remote, again, root)).length === 0) healed.add(root);
  return healed;
}

async function rootsFor(
  context: OperationContext,
  opened: OpenedRemote,
  options: VerifyRemoteOptions,
): Promise<OutRoot[]> {
  const stages = context.stages.all;
  const fallback = context.config.defaultRemote;
  const past = namesHistory(options) ? await lockedHistory(context, options, stages) : [];
  const now = stages.flatMap((stage) => {
    const entry = context.readLock(stage.projectRoot).stages.get(stage.id.target);
    return entry === undefined ? [] : [{ stage, entry }];
  });
  const roots = new Map<string, OutRoot>();
  for (const { stage, entry } of [...now, ...past]) {
    for (const out of stage.outs) {
      const root = entry.outs.get(out.path);
      if (root === undefined || !out.push || !out.cache || (out.remote ?? fallback) !== opened.name) continue;
      roots.set(`${root.kind} ${root.digest}`, root);
    }
  }
  return [...roots.values()];
}
