import type { Digest } from '../model/digest.js';
import { compareUtf8 } from '../model/path.js';
import type { Reason } from '../model/reason.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import { type Decision, decide, type Place, placeOf } from '../stage/decide.js';
import { Resolver } from '../stage/resolve.js';
import type { Out } from '../stage/stage.js';
import { type Completeness, completeness } from '../store/complete.js';
import { storedSum } from '../store/list-tree.js';
import { remoteNamed } from '../workspace/config.js';
import type { Observed } from '../workspace/observe.js';
import { isStored } from '../workspace/snapshot-complete.js';
import type { OperationContext } from './context.js';
import { type AskedRemotes, checkAsked } from './remote-states.js';
import type { RemoteState } from './remotes.js';
import type { ConflictReport } from './reports.js';
import { conflictsInLock } from './resolve.js';
import type { Selected } from './select.js';

/** One out in a status. Digest, files and bytes are those of the lock, or of the workspace if the lock does not name it. */
export interface OutStatus {
  readonly path: string;
  readonly digest: Digest | null;
  readonly files: number;
  readonly bytes: number;
  readonly workspace: Place;
  readonly store: Completeness;
  /** Files whose bytes the store has, and their bytes. */
  readonly stored: { readonly files: number; readonly bytes: number };
  /** By name of the remote; empty unless remotes were asked. */
  readonly remote: Readonly<Record<string, RemoteState>>;
}

/** One stage in a status. */
export interface StageStatus {
  readonly project: string;
  readonly target: string;
  /** `conflict`: the project's lock holds conflicts of a merge, so nothing can be said of the stage before they are resolved. */
  readonly state: Decision['kind'] | 'conflict';
  readonly reasons: readonly Reason[];
  readonly outs: readonly OutStatus[];
}

/** The state of stages and outs; see "JSON" in the interface. */
export interface StatusReport {
  readonly stages: readonly StageStatus[];
  /** What a merge could not decide; only there if there is any. */
  readonly conflicts?: readonly ConflictReport[];
}

/** Looks at stages and their outs. Changes nothing, and moves no data. `remotes` names the remotes to ask; `own`: each out's own, or the default one. */
export async function status(
  context: OperationContext,
  selected: readonly Selected[],
  remotes: AskedRemotes,
): Promise<StatusReport> {
  // Names that do not exist are told before anything is looked at.
  checkAsked(context, remotes);
  const resolver = new Resolver(context);
  const stages: StageStatus[] = [];
  const conflicts: ConflictReport[] = [];
  for (const { stage } of selected) {
    const found = conflictsInLock(context, stage);
    if (found !== undefined) {
      stages.push({ ...stage.id, state: 'conflict', reasons: [], outs: [] });
      conflicts.push(...found.filter(({ target }) => target === stage.id.target));
      continue;
    }
    const decision = await decide(resolver, stage);
    const outs: OutStatus[] = [];
    for (const { out, observed, root: locked } of decision.outs) {
      const root = decision.kind === 'restorable' ? decision.record.outs.get(out.path) : locked;
      const shown = root ?? observed?.root;
      outs.push({
        path: out.path,
        digest: shown?.digest ?? null,
        files: shown?.files ?? 0,
        bytes: shown?.bytes ?? 0,
        workspace: placeOf(observed, root),
        ...inStore(context, shown, observed),
        remote: await remoteStates(context, out, shown, remotes),
      });
    }
    stages.push({ ...stage.id, state: decision.kind, reasons: decision.reasons, outs });
  }
  stages.sort((a, b) => compareUtf8(a.project, b.project) || compareUtf8(a.target, b.target));
  return { stages, ...(conflicts.length === 0 ? {} : { conflicts }) };
}

function inStore(
  { workspace }: OperationContext,
  root: OutRoot | undefined,
  observed: Observed | undefined,
): Pick<OutStatus, 'store' | 'stored'> {
  if (root === undefined) return { store: 'absent', stored: { files: 0, bytes: 0 } };
  const { reader } = workspace.store;
  const isSeen = observed !== undefined && sameRoot(observed.root, root) && isStored(reader, observed.snapshot);
  const store = isSeen ? 'complete' : completeness(reader, root);
  if (store === 'complete') return { store, stored: { files: root.files, bytes: root.bytes } };
  return { store, stored: store === 'absent' ? { files: 0, bytes: 0 } : storedSum(reader, root) };
}

async function remoteStates(
  context: OperationContext,
  out: Out,
  root: OutRoot | undefined,
  remotes: AskedRemotes,
): Promise<Record<string, RemoteState>> {
  const states: Record<string, RemoteState> = {};
  for (const name of remotes === 'own' ? [remoteNamed(context.config, out.remote).name] : remotes) {
    states[name] = root === undefined || !out.push ? 'absent' : await stateOn(context, name, root);
  }
  return states;
}

/** Nothing is on a remote that was never used, and that is worth a word: it may be one that is not mounted. */
async function stateOn({ remotes }: OperationContext, name: string, root: OutRoot): Promise<RemoteState> {
  const state = await remotes.state(name, root);
  if (state !== 'absent') return state;
  const { remote } = remotes.open(name);
  if ((await remote.contact()) === 'empty') remotes.reach.unused(remote);
  return state;
}
