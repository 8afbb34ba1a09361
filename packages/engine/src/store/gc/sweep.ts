import { asSluiceError, throwIfAborted } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { LooseObject } from '../loose-list.js';
import type { Store } from '../store.js';
import { emptyBag, moveToTrash, openTrash } from '../trash.js';
import { readBag, restoreAll, restoreMarked } from './bag-content.js';
import type { Claims } from './claims.js';
import type { EarlierPlaces } from './earlier-place.js';
import type { Inventory } from './inventory.js';
import type { Looks, RecordedRoots } from './look.js';
import { DEAD } from './mark.js';
import type { PackPlan } from './plan-packs.js';
import { type RewriteInput, type Rewritten, rewritePacks } from './rewrite-packs.js';

/** What is to go. */
export interface SweepPlan {
  readonly inventory: Inventory;
  readonly claims: Claims;
  readonly homes: EarlierPlaces;
  readonly loose: readonly LooseObject[];
  readonly packs: PackPlan;
}

/** What came of a sweep. */
export interface Swept {
  readonly rewritten: Rewritten;
  /** Packs that were to go and are still there. */
  readonly staying: ReadonlySet<string>;
  readonly recorded: RecordedRoots;
}

/** How a sweep tells what it does. */
export interface SweepOptions {
  readonly signal?: AbortSignal | undefined;
  readonly emit?: Emit | undefined;
}

const MOVES_PER_EVENT = 1000;

/** The dead loose objects, trees first: as everywhere, what names goes before what is named. */
export function deadLoose({ loose }: Inventory, claims: Claims): LooseObject[] {
  const dead = loose.filter((_, i) => claims.loose[i] === DEAD);
  return [...dead.filter(({ kind }) => kind === 'tree'), ...dead.filter(({ kind }) => kind === 'blob')];
}

/**
 * Moves to the trash, looks a second time, brings back what is wanted by now, and deletes the rest. Whatever goes wrong before the
 * deletion, everything is put back.
 */
export async function sweep(store: Store, looks: Looks, plan: SweepPlan, options: SweepOptions): Promise<Swept> {
  const { inventory, claims, homes } = plan;
  const going = new Set(plan.packs.rewrite);
  const rewritten = await rewriteIfRoom(store, { inventory, going, claims, homes }, options.signal);
  throwIfAborted(options.signal);
  const packs = [...plan.packs.drop, ...rewritten.emptied];
  const bag = openTrash(store.files, store.layout);
  try {
    moveAll(store, bag, packs, plan.loose, options.emit);
    const content = readBag(store, bag);
    await looks.live([content]);
    const recorded = await looks.recorded([content]);
    restoreMarked(store, content, looks.marks);
    throwIfAborted(options.signal);
    const gone = new Set(content.packs.keys());
    // What is deleted while it is open keeps its space.
    store.reader.close();
    emptyBag(store.files, bag);
    const staying = [...plan.packs.left, ...plan.packs.drop, ...plan.packs.rewrite].filter((name) => !gone.has(name));
    return { rewritten, staying: new Set(staying), recorded };
  } catch (error) {
    restoreAll(store, bag);
    throw error;
  } finally {
    store.reader.catalog.refresh();
  }
}

/** A full disk is what a collection is called for: what needs no room is deleted all the same. */
async function rewriteIfRoom(store: Store, input: RewriteInput, signal: AbortSignal | undefined): Promise<Rewritten> {
  try {
    return await rewritePacks(store, input, signal);
  } catch (error) {
    const problem = asSluiceError(error);
    if (problem.code !== 'ERR_DISK_FULL') throw error;
    return { emptied: [], problems: [problem], bytes: 0 };
  }
}

function moveAll(
  store: Store,
  bag: ReturnType<typeof openTrash>,
  packs: readonly string[],
  loose: readonly LooseObject[],
  emit: Emit | undefined,
): void {
  const { files, layout } = store;
  const totalFiles = packs.length + loose.length;
  const totalBytes = loose.reduce((sum, { bytes }) => sum + bytes, 0);
  const tell = (moved: number, bytes: number): void =>
    emit?.({ type: 'progress', phase: 'collecting', subject: '', files: moved, totalFiles, bytes, totalBytes });
  for (const name of packs) moveToTrash(files, layout, bag, 'packs', name);
  let bytes = 0;
  loose.forEach((object, i) => {
    moveToTrash(files, layout, bag, 'objects', object.name);
    bytes += object.bytes;
    if ((i + 1) % MOVES_PER_EVENT === 0) tell(packs.length + i, bytes);
  });
  tell(totalFiles, totalBytes);
}
