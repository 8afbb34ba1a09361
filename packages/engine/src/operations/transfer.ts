import type { HistoryScope } from '../history/scope.js';
import type { Digest } from '../model/digest.js';
import type { LockedStage } from '../model/lock.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { fetchRoots } from '../remote/fetch.js';
import { pushRoots } from '../remote/push.js';
import { writeRecord } from '../remote/records.js';
import { isComplete } from '../remote/remote.js';
import { progress } from '../stage/progress.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { completeness } from '../store/complete.js';
import { readRecord } from '../store/records.js';
import { bulkEncoder } from '../workspace/bulk-encoder.js';
import { checkout } from './checkout.js';
import type { OpenedRemote } from './connect-remote.js';
import type { OperationContext } from './context.js';
import { lockedHistory, namesHistory } from './history-roots.js';
import { knownRoots, relativesOf } from './known-roots.js';
import { locksAt } from './locks-at.js';
import type { FetchOptions } from './options.js';
import type { FetchReport, PullReport, PushReport, RequestCount } from './reports.js';
import { sampleSelected } from './sample-selected.js';
import type { Selected } from './select.js';

/** A root to be moved, with the out that it belongs to. */
interface Item {
  readonly stage: Stage;
  readonly out: Out;
  readonly root: OutRoot;
  readonly filter: PathFilter | undefined;
}

/**
 * Sends what the locks of the workspace, and of a scope of revisions, name and the remote lacks: packs, maps, then the records of the stages.
 * Throws `ERR_OBJECT_MISSING` if something that the workspace's locks name is neither here nor there, and what the remote throws. Versions of the history that
 * are not here are told as a warning.
 */
export async function push(
  context: OperationContext,
  selected: readonly Selected[],
  options: HistoryScope & { readonly remote?: string; readonly dryRun?: boolean; readonly verify?: boolean },
): Promise<PushReport> {
  const startedMs = performance.now();
  const stages = selected.map(({ stage }) => stage);
  const locked = stages.flatMap((stage) => lockedEntry(context, stage));
  const past = namesHistory(options) ? await lockedHistory(context, options, stages) : [];
  const total = emptyTally('sent');
  const fallback = context.remotes.open(options.remote);
  const names = options.remote !== undefined ? [fallback.name] : remoteNames(stages, fallback.name);
  for (const name of names) {
    const opened = context.remotes.open(name);
    const mine = (out: Out): boolean => options.remote !== undefined || (out.remote ?? fallback.name) === name;
    const current = locked.flatMap((entry) => itemsOf(entry, mine)).filter((item) => isOurs(context, item));
    const older = await presentOnly(
      context,
      opened,
      past.flatMap((entry) => itemsOf(entry, mine)).filter((item) => isOurs(context, item)),
    );
    const items = distinct([...current, ...older]);
    const pushed = await pushRoots({
      remote: opened.remote,
      store: context.workspace.store,
      roots: items.map(({ root, out, stage }) => ({ root, previous: previousOf(stage, out, past, root) })),
      known: knownRoots(context, stages),
      dryRun: options.dryRun ?? false,
      verify: options.verify ?? false,
      encoder: bulkEncoder(context.workspace.bulk, context.workspace.store),
      beginProgress: progress(context.emit, 'sending', name),
      signal: context.signal,
    });
    add(total, pushed, 'sent');
    if (options.dryRun === true) continue;
    await pushRecords(context, opened, [...locked, ...past]);
    await opened.remote.flush({ mayWait: true, signal: context.signal });
  }
  return {
    remote: fallback.name,
    ...total,
    requests: requestsOf(context, names),
    dryRun: options.dryRun ?? false,
    ms: Math.round(performance.now() - startedMs),
  };
}

/** Brings what locks name, or a sample of it, from the remote into the store. Throws what {@link sampleSelected} and the remote throws, and `ERR_NOT_LOCAL` for what it does not have. */
export async function fetchData(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
): Promise<FetchReport> {
  const startedMs = performance.now();
  return fetchSelected(context, await sampleSelected(context, selected, options), options, startedMs);
}

async function fetchSelected(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
  startedMs: number,
): Promise<FetchReport> {
  const items = await wanted(context, selected, options);
  const fallback = context.remotes.open(options.remote);
  const names =
    options.remote !== undefined
      ? [fallback.name]
      : remoteNames(
          selected.map(({ stage }) => stage),
          fallback.name,
        );
  const total = emptyTally('received');
  const left = { files: 0, bytes: 0 };
  for (const name of names) {
    const group = items.filter(({ out }) => options.remote !== undefined || (out.remote ?? fallback.name) === name);
    if (group.length === 0) continue;
    const fetched = await fetchRoots({
      remote: context.remotes.open(name).remote,
      store: context.workspace.store,
      wants: group.map(({ root, filter }) => ({ root, ...(filter === undefined ? {} : { filter }) })),
      ...(options.maxBytes === undefined ? {} : { maxBytes: Math.max(0, options.maxBytes - total.bytes.received) }),
      relatives: (root) => relativesOf(context, root),
      beginProgress: progress(context.emit, 'receiving', name),
      signal: context.signal,
    });
    add(total, fetched, 'received');
    left.files += fetched.left.files;
    left.bytes += fetched.left.bytes;
  }
  context.workspace.store.reader.catalog.refresh();
  return {
    remote: fallback.name,
    ...total,
    left,
    requests: requestsOf(context, names),
    ms: Math.round(performance.now() - startedMs),
  };
}

/** {@link fetchData}, then the workspace is made to be what the lock says. */
export async function pull(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions & { readonly force?: boolean },
): Promise<PullReport> {
  const startedMs = performance.now();
  const sampled = await sampleSelected(context, selected, options);
  const fetched = await fetchSelected(context, sampled, options, startedMs);
  const { workspace } = await checkout(context, sampled, {
    rev: options.rev,
    force: options.force ?? false,
    missing: 'leave',
    strict: false,
  });
  return { ...fetched, workspace, ms: Math.round(performance.now() - startedMs) };
}

async function wanted(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
): Promise<Item[]> {
  const lockOf = await locksAt(context, options.rev);
  const items = selected.flatMap(({ stage, filterOf }) =>
    stage.outs.flatMap((out): Item[] => {
      const root = lockOf(stage)?.get(out.path);
      return root === undefined || !out.push || !out.cache ? [] : [{ stage, out, root, filter: filterOf?.(out) }];
    }),
  );
  if (options.history !== true) return items;
  const stages = selected.map(({ stage }) => stage);
  const past = await lockedHistory(context, { allCommits: true }, stages);
  return distinct([...items, ...past.flatMap((entry) => itemsOf(entry, ({ cache }) => cache))]);
}

interface Entry {
  readonly stage: Stage;
  readonly entry: LockedStage;
}

function lockedEntry(context: OperationContext, stage: Stage): Entry[] {
  const entry = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  return entry === undefined ? [] : [{ stage, entry }];
}

function itemsOf({ stage, entry }: Entry, mine: (out: Out) => boolean): Item[] {
  return stage.outs.flatMap((out): Item[] => {
    const root = entry.outs.get(out.path);
    return root === undefined || !out.push || !mine(out) ? [] : [{ stage, out, root, filter: undefined }];
  });
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

async function pushRecords(context: OperationContext, opened: OpenedRemote, entries: readonly Entry[]): Promise<void> {
  const seen = new Set<Digest>();
  for (const { stage, entry } of entries) {
    const { fingerprint } = entry;
    if (fingerprint === undefined || seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    const found = readRecord(context.workspace.store, fingerprint);
    // A result of which a part stays here cannot be restored elsewhere.
    if (found === undefined || stage.outs.some(({ push: isPushed }) => !isPushed)) continue;
    const written = await writeRecord(opened.remote, { ...found, area: opened.remote.areas.own }, context.signal);
    if (written.kind !== 'different') continue;
    context.emit({
      type: 'warning',
      message: `${opened.name} has another result of ${stageName(stage.id)} for the same inputs, made at ${written.existing.made.at}; it stays`,
    });
  }
}

function remoteNames(stages: readonly Stage[], fallback: string): string[] {
  return [...new Set([fallback, ...stages.flatMap(({ outs }) => outs.flatMap(({ remote }) => remote ?? []))])];
}

function distinct(items: readonly Item[]): Item[] {
  return [
    ...new Map(
      items.map((item) => [`${item.root.kind} ${item.root.digest} ${item.filter === undefined}`, item]),
    ).values(),
  ];
}

type Moved = 'sent' | 'received';
type Tally<A extends Moved> = Record<'files' | 'objects' | 'bytes', Record<A | 'reused', number>>;

function emptyTally<A extends Moved>(moved: A): Tally<A> {
  const zero = (): Record<A | 'reused', number> => ({ [moved]: 0, reused: 0 }) as Record<A | 'reused', number>;
  return { files: zero(), objects: zero(), bytes: zero() };
}

function add<A extends Moved>(total: Tally<A>, more: Tally<A>, moved: A): void {
  for (const what of ['files', 'objects', 'bytes'] as const) {
    total[what][moved] += more[what][moved];
    total[what].reused += more[what].reused;
  }
}

function requestsOf(context: OperationContext, names: readonly string[]): RequestCount {
  const sumOf = { head: 0, get: 0, put: 0, list: 0, delete: 0 };
  for (const name of names) {
    const { requests } = context.remotes.open(name);
    for (const kind of ['head', 'get', 'put', 'list', 'delete'] as const) sumOf[kind] += requests[kind];
  }
  return sumOf;
}
