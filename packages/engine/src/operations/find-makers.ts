import { type Maker, type StageRecord, trackedKey } from '../model/record.js';
import { inParallel } from '../remote/parallel.js';
import { readRecord as readRemoteRecord } from '../remote/records.js';
import { isUnreachable } from '../remote/remote.js';
import { readRecord } from '../store/records.js';
import type { OperationContext } from './context.js';
import type { OutChange } from './out-history.js';
import { type AskedRemotes, askedFor } from './remote-states.js';

/** What made a version, as its record says. */
export interface MadeBy {
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** How long the run took. */
  readonly ms: number;
  /** As far as it is known: repository, commit, run and host. */
  readonly by: Maker | null;
}

/** Requests at once. */
const AT_ONCE = 16;

/** Which run or commit made the versions of changes: from the records of the store, then of the remotes that are asked. Versions without a record are left out. */
export async function findMakers(
  context: OperationContext,
  changes: readonly OutChange[],
  asked: AskedRemotes,
): Promise<Map<OutChange, MadeBy>> {
  const makers = new Map<OutChange, MadeBy>();
  const found = await inParallel(changes, AT_ONCE, (change) =>
    findRecord(context, change, askedFor(context, change, asked)),
  );
  for (const [i, change] of changes.entries()) {
    const record = found[i];
    if (record === undefined || record.outs.get(change.out.path)?.digest !== change.after?.digest) continue;
    const { at, ms, by } = record.made;
    makers.set(change, { at, ms, by: by ?? null });
  }
  return makers;
}

async function findRecord(
  context: OperationContext,
  { entry, after }: OutChange,
  remotes: readonly string[],
): Promise<StageRecord | undefined> {
  if (entry === undefined || after === undefined) return undefined;
  const name = entry.fingerprint ?? trackedKey(entry.outs);
  const here = readRecord(context.workspace.store, name);
  if (here !== undefined || context.config.offline) return here;
  for (const remote of remotes) {
    try {
      const there = await readRemoteRecord(context.remotes.open(remote).remote, name, context.signal);
      if (there !== undefined) return there.record;
    } catch (error) {
      // The state of the versions there says so already.
      if (!isUnreachable(error)) throw error;
    }
  }
  return undefined;
}
