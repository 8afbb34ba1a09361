import type { SluiceError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { rawOf } from '../../model/digest.js';
import { removeLeftovers } from '../lease.js';
import type { Store } from '../store.js';
import { emptyBag, openBags } from '../trash.js';
import { type BagContent, readBag, restoreMarked } from './bag-content.js';
import { claimObjects } from './claims.js';
import { takeInventory } from './inventory.js';
import { type LookOptions, Looks, type RecordedRoots } from './look.js';
import { claimOf, DEAD, type Marks } from './mark.js';
import { stopAtBrokenPacks } from './node-source.js';
import { planPacks } from './plan-packs.js';
import { distinct, type RootRef } from './roots.js';
import { deadLoose, type SweepPlan, sweep } from './sweep.js';
import type { Tally } from './tally.js';
import { tallySweep } from './tally-sweep.js';
import { tidy } from './tidy.js';
import { weighPacks } from './weigh-packs.js';

/** How to collect. */
export interface CollectOptions extends LookOptions {
  /** Deletes no object and rewrites no pack; tells what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Bytes of live blobs that may be copied out of packs with garbage in one run. */
  readonly budgetBytes?: number | undefined;
  readonly emit?: Emit | undefined;
}

/** What a collection did, or would do. */
export interface CollectReport {
  readonly removed: Tally;
  readonly kept: Tally;
  readonly keptUnpushed: Tally;
  /** Garbage that stays in packs for the next run, because of the budget or of a damaged object. */
  readonly left: Tally;
  /** Roots that are kept only because no durable remote is known to hold them. */
  readonly unpushed: readonly RootRef[];
  /** Recorded roots that lost objects. */
  readonly dropped: readonly RootRef[];
  /** Why packs with garbage could not be rewritten. */
  readonly problems: readonly SluiceError[];
  readonly dryRun: boolean;
}

/** One GiB: some seconds of copying. */
const DEFAULT_BUDGET_BYTES = 1024 ** 3;

/**
 * Deletes what no root reaches; readers and writers go on meanwhile, in this process and in others.
 *
 * A writer appends to its lease before it asks whether an object exists. The collection reads leases, then roots; marks; moves what is
 * dead to the trash; reads leases and roots again; brings back what is wanted by now; deletes. So a writer either finds an object gone,
 * and writes it anew, or its lease (or what it wrote since) is seen by the second look.
 *
 * Throws `ERR_GC_STOPPED`, with everything as it was, if it cannot be known what is in use, and whatever `roots` throws.
 */
export async function collect(store: Store, options: CollectOptions): Promise<CollectReport> {
  const held = await store.acquire('gc', { wait: true, what: 'the collection', signal: options.signal });
  try {
    return await collectAlone(store, options);
  } finally {
    held.release();
  }
}

async function collectAlone(store: Store, options: CollectOptions): Promise<CollectReport> {
  const dryRun = options.dryRun === true;
  if (!dryRun) removeLeftovers(store.files, store.layout);
  const oldBags = openBags(store.files, store.layout).map((bag) => readBag(store, bag));
  store.reader.catalog.refresh();
  stopAtBrokenPacks(store);
  const looks = new Looks(store, options);
  await looks.live(oldBags);
  let plan = makePlan(store, looks.marks, options);
  const recorded: RecordedRoots[] = [];
  if (oldBags.length > 0 || hasWork(plan)) {
    recorded.push(await looks.recorded(oldBags));
    finishOldBags(store, oldBags, looks.marks, dryRun);
    plan = makePlan(store, looks.marks, options);
  }
  const swept = dryRun || !hasWork(plan) ? undefined : await sweep(store, looks, plan, options);
  if (swept !== undefined) recorded.push(swept.recorded);
  if (!dryRun) tidy(store, looks.marks);
  // The second look may have found more to keep.
  const claims = swept === undefined ? plan.claims : claimObjects(plan.inventory, looks.marks);
  return {
    ...tallySweep(plan.inventory, claims, swept?.staying ?? new Set(plan.packs.left)),
    unpushed: distinct(recorded.flatMap(({ unpushed }) => unpushed)),
    dropped: distinct(recorded.flatMap(({ dropped }) => dropped)).filter(
      ({ root }) => claimOf(looks.marks, root.kind, rawOf(root.digest)) === DEAD,
    ),
    problems: swept?.rewritten.problems ?? [],
    dryRun,
  };
}

function makePlan(store: Store, marks: Marks, { budgetBytes = DEFAULT_BUDGET_BYTES }: CollectOptions): SweepPlan {
  const inventory = takeInventory(store);
  const claims = claimObjects(inventory, marks);
  const { homes, worth } = weighPacks(store.reader.catalog, inventory, claims);
  return { inventory, claims, homes, loose: deadLoose(inventory, claims), packs: planPacks(worth, budgetBytes) };
}

function hasWork({ loose, packs }: SweepPlan): boolean {
  return loose.length > 0 || packs.drop.length > 0 || packs.rewrite.length > 0;
}

/** What a killed collection had moved: this one's first look is the second look of that one. */
function finishOldBags(store: Store, contents: readonly BagContent[], marks: Marks, dryRun: boolean): void {
  for (const content of contents) {
    restoreMarked(store, content, marks);
    if (!dryRun) emptyBag(store.files, content.bag);
  }
}
