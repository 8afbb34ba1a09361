import { SluiceError } from '../errors.js';
import { pathFilter } from '../model/path-filter.js';
import { fetchRoots } from '../remote/fetch.js';
import type { LostRoot } from '../remote/lost-roots.js';
import { lostOuts } from '../stage/name-missing.js';
import { progress } from '../stage/progress.js';
import { type Stage, stageName } from '../stage/stage.js';
import { bulkReceiver } from '../workspace/bulk-receiver.js';
import { checkout } from './checkout.js';
import type { OpenedRemote } from './connect-remote.js';
import type { OperationContext } from './context.js';
import { lockedHistory } from './history-roots.js';
import { relativesOf } from './known-roots.js';
import { locksAt } from './locks-at.js';
import { addTally, emptyTally, requestsSince, sumOfRequests } from './move-tally.js';
import { distinct, type Item, itemsOf } from './moved-items.js';
import type { FetchOptions } from './options.js';
import type { FetchReport, PullReport } from './reports.js';
import { sampleSelected } from './sample-selected.js';
import type { Selected } from './select.js';

/**
 * Brings what locks name, or a sample of it, into the store: from each out's own remote or the default one, and what that does not have or does not give whole from the others in
 * their order. Throws what the remotes throw, if what is wanted is not here already, and `ERR_NOT_LOCAL` for what none of them has, each out named; `ERR_SELECTOR` for a pattern that fits no file; and what {@link sampleSelected} throws. All else has come then.
 */
export async function fetchData(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
): Promise<FetchReport> {
  const startedMs = performance.now();
  const sampled = await sampleSelected(context, selected, options);
  const { report, failure } = await fetchSelected(context, sampled, options, startedMs);
  if (failure !== undefined) throw failure;
  return report;
}

async function fetchSelected(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
  startedMs: number,
): Promise<{ readonly report: FetchReport; readonly failure: SluiceError | undefined }> {
  const { items, unmatched } = watchingFilters(await wanted(context, selected, options));
  const first = context.remotes.open(options.remotes?.[0]);
  const total = emptyTally('received');
  const left = { files: 0, bytes: 0 };
  const given = new Map<string, number>();
  const asked = new Map<OpenedRemote, FetchReport['requests']>();
  const lost: LostRoot[] = [];
  for (const { remotes, group } of byRemotes(context, items, options)) {
    const [opened = first] = remotes;
    for (const one of remotes) if (!asked.has(one)) asked.set(one, { ...one.requests });
    const fetched = await fetchRoots({
      remote: opened.remote,
      others: remotes.map(({ remote }) => remote),
      reach: context.remotes.reach,
      store: context.workspace.store,
      receiver: bulkReceiver(context.workspace.bulk),
      wants: group.map(({ root, filter }) => ({ root, filter })),
      // What was left out by a limit ends what comes behind it too.
      maxBytes:
        options.maxBytes === undefined ? undefined : left.files > 0 ? -1 : options.maxBytes - total.bytes.received,
      arrived: (remote, bytes) => {
        const name = remotes.find((one) => one.remote === remote)?.name ?? opened.name;
        given.set(name, (given.get(name) ?? 0) + bytes);
      },
      lost: (one) => lost.push(one),
      relatives: (root) => relativesOf(context, root),
      beginProgress: progress(context.emit, 'receiving', opened.name),
      signal: context.signal,
    });
    addTally(total, fetched, 'received');
    left.files += fetched.left.files;
    left.bytes += fetched.left.bytes;
  }
  context.workspace.store.reader.catalog.refresh();
  const report = {
    remote: first.name,
    ...total,
    left,
    sources: [...given].map(([remote, bytes]) => ({ remote, bytes })),
    requests: sumOfRequests([...asked].map(([{ requests }, before]) => requestsSince(before, requests))),
    ms: Math.round(performance.now() - startedMs),
  };
  const failure = lostOuts(lost, items, context.workspace.root);
  return { report, failure: failure ?? (options.sample === undefined ? noneFits(unmatched()) : undefined) };
}

/** Items whose filters know whether they have ever wanted anything. `unmatched`: those of stages of which nothing was wanted. */
function watchingFilters(items: readonly Item[]): { readonly items: Item[]; readonly unmatched: () => Item[] } {
  const matched = new Set<Stage>();
  const watched = items.map((item): Item => {
    const { filter, stage } = item;
    if (filter === undefined) return item;
    const isWanted = (path: string): boolean => {
      const wants = filter(path);
      if (wants) matched.add(stage);
      return wants;
    };
    return { ...item, filter: filter.within === undefined ? isWanted : pathFilter(isWanted, filter.within) };
  });
  return {
    items: watched,
    unmatched: () => watched.filter(({ filter, stage }) => filter !== undefined && !matched.has(stage)),
  };
}

/** A pattern that fits nothing is most likely a wrong one. */
function noneFits([first]: readonly Item[]): SluiceError | undefined {
  if (first === undefined) return undefined;
  const name = stageName(first.stage.id);
  return new SluiceError('ERR_SELECTOR', `${name}: no file of ${first.out.path} fits the pattern`, {
    hint: `List what is there: sluice ls ${name}`,
  });
}

/** {@link fetchData}, then the workspace is made to be what the lock says, also where some outs cannot be had: those stay as they are, and are thrown in the end. */
export async function pull(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions & { readonly force?: boolean },
): Promise<PullReport> {
  const startedMs = performance.now();
  const sampled = await sampleSelected(context, selected, options);
  const { report, failure } = await fetchSelected(context, sampled, options, startedMs);
  const { workspace } = await checkout(context, sampled, {
    rev: options.rev,
    force: options.force ?? false,
    missing: 'leave',
    // What cannot be had is told by the failure.
    onlyStale: failure !== undefined,
    strict: false,
  });
  if (failure !== undefined) throw failure;
  return { ...report, workspace, ms: Math.round(performance.now() - startedMs) };
}

/** What is asked of the same remotes in the same order, in the order of the stages. */
function byRemotes(
  { remotes }: OperationContext,
  items: readonly Item[],
  options: FetchOptions,
): { readonly remotes: OpenedRemote[]; readonly group: Item[] }[] {
  if (items.length === 0) return [];
  if (options.remotes !== undefined) return [{ remotes: options.remotes.map(remotes.open), group: [...items] }];
  const groups = new Map<string | undefined, Item[]>();
  for (const item of items) groups.set(item.out.remote, [...(groups.get(item.out.remote) ?? []), item]);
  return [...groups].map(([name, group]) => ({ remotes: remotes.openAll(name), group }));
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
