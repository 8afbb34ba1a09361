import { SluiceError, throwIfAborted, toErrorWire } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { believesRecord } from '../remote/areas.js';
import type { LostRoot } from '../remote/lost-roots.js';
import { type PushResult, pushRoots } from '../remote/push.js';
import { writeRecord } from '../remote/records.js';
import { isComplete } from '../remote/remote.js';
import { lostOuts } from '../stage/name-missing.js';
import { progress } from '../stage/progress.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { completeness } from '../store/complete.js';
import { readRecord } from '../store/records.js';
import { bulkEncoder } from '../workspace/bulk-encoder.js';
import type { OpenedRemote } from './connect-remote.js';
import type { OperationContext } from './context.js';
import { lockedHistory, namesHistory } from './history-roots.js';
import { knownRoots } from './known-roots.js';
import { addTally, emptyTally, requestsSince, sumOfRequests } from './move-tally.js';
import { distinct, type Entry, type Item, itemsOf, lockedEntry } from './moved-items.js';
import type { PushOptions } from './options.js';
import type { PushReport, RemotePush } from './reports.js';
import type { Selected } from './select.js';

/** What is sent: by the locks of the workspace, and by those of a scope of revisions. */
interface Cargo {
  readonly locked: readonly Entry[];
  readonly past: readonly Entry[];
  readonly options: Omit<PushOptions, 'select'>;
}

/**
 * Sends what the locks of the workspace, and of a scope of revisions, name and the remotes lack: packs, maps, then the records of the stages. Each out goes to its
 * own remote, or all to each of `remotes`. One that fails keeps nothing from the others; what became of each is in the report. Throws if none took anything: then
 * what the first one throws, or `ERR_OBJECT_MISSING` if something that the workspace's locks name is neither here nor there. Versions of the history that are not here
 * are told as a warning.
 */
export async function push(
  context: OperationContext,
  selected: readonly Selected[],
  options: Omit<PushOptions, 'select'>,
): Promise<PushReport> {
  const startedMs = performance.now();
  const stages = selected.map(({ stage }) => stage);
  const locked = stages.flatMap((stage) => lockedEntry(context, stage));
  const past = namesHistory(options) ? await lockedHistory(context, options, stages) : [];
  const done: RemotePush[] = [];
  let failure: unknown;
  const targets = (options.remotes ?? ownRemotes(context, stages)).map((name) => context.remotes.open(name));
  for (const opened of new Set(targets)) {
    const isMeant = (out: Out): boolean => options.remotes !== undefined || ownRemote(context, out) === opened.name;
    const { error, report } = await pushTo(context, opened, { locked, past, options }, isMeant);
    throwIfAborted(context.signal);
    failure ??= error;
    done.push(report);
  }
  if (failure !== undefined && done.every(({ error }) => error !== null)) throw failure;
  const total = emptyTally('sent');
  for (const one of done) addTally(total, one, 'sent');
  return {
    remote: done[0]?.remote ?? '',
    ...total,
    remotes: done,
    requests: sumOfRequests(done.map(({ requests }) => requests)),
    dryRun: options.dryRun ?? false,
    ms: Math.round(performance.now() - startedMs),
  };
}

/** Sends to one remote what is meant for it; what of that is neither here nor there keeps nothing from the rest. A failure that has a code is returned beside the report. */
async function pushTo(
  context: OperationContext,
  opened: OpenedRemote,
  cargo: Cargo,
  isMeant: (out: Out) => boolean,
): Promise<{ readonly report: RemotePush; readonly error: SluiceError | undefined }> {
  const startedMs = performance.now();
  const before = { ...opened.requests };
  const counts = emptyTally('sent');
  let failure: SluiceError | undefined;
  try {
    const sent = await send(context, opened, cargo, isMeant);
    addTally(counts, sent.pushed, 'sent');
    failure = sent.failure;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    failure = error;
  }
  const report = {
    remote: opened.name,
    ...counts,
    requests: requestsSince(before, opened.requests),
    ms: Math.round(performance.now() - startedMs),
    error: failure === undefined ? null : toErrorWire(failure),
  };
  return { report, error: failure };
}

async function send(
  context: OperationContext,
  opened: OpenedRemote,
  { locked, past, options }: Cargo,
  isMeant: (out: Out) => boolean,
): Promise<{ readonly pushed: PushResult; readonly failure: SluiceError | undefined }> {
  const current = locked.flatMap((entry) => itemsOf(entry, isMeant)).filter((item) => isOurs(context, item));
  const older = await presentOnly(
    context,
    opened,
    past.flatMap((entry) => itemsOf(entry, isMeant)).filter((item) => isOurs(context, item)),
  );
  const items = distinct([...current, ...older]);
  const isFirst =
    items.length > 0 && options.dryRun !== true && (await opened.remote.contact(context.signal)) === 'empty';
  const lost: LostRoot[] = [];
  const pushed = await pushRoots({
    remote: opened.remote,
    store: context.workspace.store,
    roots: items.map(({ root, out, stage }) => ({ root, previous: previousOf(stage, out, past, root) })),
    known: knownRoots(
      context,
      locked.map(({ stage }) => stage),
    ),
    dryRun: options.dryRun ?? false,
    verify: options.verify ?? false,
    lost: (one) => lost.push(one),
    encoder: bulkEncoder(context.workspace.bulk, context.workspace.store),
    beginProgress: progress(context.emit, 'sending', opened.name),
    signal: context.signal,
  });
  if (isFirst) {
    const message = `remote ${opened.name} was never used before: it is now at ${opened.remote.description}`;
    context.emit({ type: 'note', message });
  }
  const failure = lostOuts(lost, items, context.workspace.root);
  if (options.dryRun === true) return { pushed, failure };
  const isLost = ({ entry }: Entry): boolean =>
    [...entry.outs.values()].some(({ digest }) => lost.some(({ root }) => root.digest === digest));
  // A record names nothing that is not there.
  const whole = [...locked, ...past].filter((entry) => !isLost(entry));
  await pushRecords(context, opened, whole, isMeant);
  await opened.remote.flush({ mayWait: true, signal: context.signal });
  return { pushed, failure };
}

/** What git keeps is in the store only where it is small; then others can restore it by its record. */
function isOurs({ workspace }: OperationContext, { out, root }: Item): boolean {
  return out.cache || completeness(workspace.store.reader, root) === 'complete';
}

/** Old versions may have been dropped here, or never have been here; that stops nobody from sending the rest. */
async function presentOnly(context: OperationContext, opened: OpenedRemote, items: readonly Item[]): Promise<Item[]> {
  const present: Item[] = [];
  for (const item of distinct(items)) {
    if (completeness(context.workspace.store.reader, item.root) === 'complete') present.push(item);
    else if (!(await isComplete(opened.remote, item.root.digest, context.signal))) {
      context.emit({
        type: 'warning',
        code: 'ERR_OBJECT_MISSING',
        message: `an old version of ${item.out.path} (${stageName(item.stage.id)}) is neither here nor on ${opened.name}: ${item.root.digest}`,
      });
    }
  }
  return present;
}

/** Versions of the same out that the remote may have: what they share need not be sent. */
function previousOf(stage: Stage, out: Out, past: readonly Entry[], root: OutRoot): OutRoot[] {
  return past.flatMap(({ stage: owner, entry }) => {
    const earlier = owner === stage ? entry.outs.get(out.path) : undefined;
    return earlier === undefined || earlier.digest === root.digest ? [] : [earlier];
  });
}

async function pushRecords(
  context: OperationContext,
  opened: OpenedRemote,
  entries: readonly Entry[],
  isMeant: (out: Out) => boolean,
): Promise<void> {
  const seen = new Set<Digest>();
  for (const { stage, entry } of entries) {
    const { fingerprint } = entry;
    if (fingerprint === undefined || seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    const found = readRecord(context.workspace.store, fingerprint);
    // A result of which a part stays here cannot be restored elsewhere.
    if (found === undefined || stage.outs.some(({ push: isPushed }) => !isPushed)) continue;
    // What a run that is trusted less has left in this store gets no better by being sent.
    if (!believesRecord(opened.remote.areas.own, found)) continue;
    // Its record belongs where its data is.
    if (stage.outs.length > 0 && !stage.outs.some(isMeant)) continue;
    const written = await writeRecord(opened.remote, { ...found, area: opened.remote.areas.own }, context.signal);
    if (written.kind !== 'different') continue;
    context.emit({
      type: 'warning',
      message: `${opened.name} has another result of ${stageName(stage.id)} for the same inputs, made at ${written.existing.made.at}; it stays`,
    });
  }
}

/** Where an out goes; `undefined` for the default remote that there is not. */
function ownRemote({ config }: OperationContext, { remote }: Out): string | undefined {
  return remote ?? config.defaultRemote;
}

/** The remotes that the outs of stages go to; the default one if there are none. */
function ownRemotes(context: OperationContext, stages: readonly Stage[]): (string | undefined)[] {
  const names = new Set(stages.flatMap(({ outs }) => outs.map((out) => ownRemote(context, out))));
  return names.size > 0 ? [...names] : [undefined];
}
