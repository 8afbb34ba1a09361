import { throwIfAborted } from '../../errors.js';
import { rawOf } from '../../model/digest.js';
import type { OutRoot } from '../../model/root.js';
import { readLeases } from '../lease.js';
import type { Store } from '../store.js';
import { type AskRemote, askOnce } from './ask-remote.js';
import { type BagContent, bagHolds, recoverNodes } from './bag-content.js';
import { claimObjects } from './claims.js';
import { markWhatFits } from './fit-size.js';
import { takeInventory } from './inventory.js';
import { claimOf, DEAD, LIVE, type Marks, markLeases, markRoot, newMarks, UNPUSHED } from './mark.js';
import { nodeSource } from './node-source.js';
import { distinct, type GcRoots, type RootRef } from './roots.js';
import { tallySweep } from './tally-sweep.js';

/** How a collection looks for what is in use. */
export interface LookOptions {
  readonly roots: GcRoots;
  /** What only a record, a note or the history of git names goes too, whatever the remotes hold. */
  readonly allowUnpushed?: boolean | undefined;
  /** Bound for the blobs of the whole store; only droppable roots give way. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What recorded roots came to in a look. */
export interface RecordedRoots {
  /** Kept, because no durable remote is known to hold them. */
  readonly unpushed: readonly RootRef[];
  /** Not kept, although objects of them are here. */
  readonly dropped: readonly RootRef[];
}

/**
 * The looks of one collection: each asks for leases first and for roots after them (a lease that is gone by then has its reference visible), and
 * adds to the same marks. `contents` are the trash bags from which a look brings tree nodes back.
 */
export class Looks {
  readonly marks: Marks;
  private readonly store: Store;
  private readonly options: LookOptions;
  private readonly ask: AskRemote;
  /** Droppable roots that were marked or dropped; a second look does not change its mind. */
  private readonly decided = new Set<string>();

  constructor(store: Store, options: LookOptions) {
    this.store = store;
    this.marks = newMarks(store.reader.catalog.packs());
    this.options = options;
    this.ask = askOnce(options.roots.isOnRemote);
  }

  /** Marks what leases and live roots name. */
  async live(contents: readonly BagContent[]): Promise<void> {
    const { store, marks } = this;
    throwIfAborted(this.options.signal);
    const leases = readLeases(store.files, store.layout);
    const refs = await this.options.roots.live();
    store.reader.catalog.refresh();
    const recover = recoverNodes(store, contents);
    const nodes = nodeSource(store, recover, 'roots');
    markLeases(marks, nodeSource(store, recover, 'leases'), leases);
    const { maxBytes } = this.options;
    const mayGo = (ref: RootRef): boolean => maxBytes !== undefined && ref.droppable === true;
    for (const ref of refs) if (!mayGo(ref)) markRoot(marks, nodes, ref.root, LIVE);
    if (maxBytes === undefined) return;
    const fresh = refs.filter((ref) => mayGo(ref) && !this.decided.has(ref.root.digest));
    const inventory = takeInventory(store);
    const used = tallySweep(inventory, claimObjects(inventory, marks), new Set()).kept.bytes;
    markWhatFits(marks, nodes, store.reader, fresh, used, maxBytes);
    for (const { root } of fresh) this.decided.add(root.digest);
  }

  /** Marks what else is named and not on a durable remote. Asks only about roots that would lose objects. */
  async recorded(contents: readonly BagContent[]): Promise<RecordedRoots> {
    throwIfAborted(this.options.signal);
    const refs = await this.options.roots.recorded();
    this.store.reader.catalog.refresh();
    // What protects comes first, so that it stands for a root that something else names too.
    const ordered = [...refs.filter((ref) => !ref.unprotected), ...refs.filter((ref) => ref.unprotected)];
    const losing = distinct(ordered).filter(({ root }) => this.wouldLose(root, contents));
    const protecting = this.options.allowUnpushed ? [] : losing.filter((ref) => !ref.unprotected);
    const answers = await this.ask(protecting.map(({ root }) => root));
    throwIfAborted(this.options.signal);
    const nodes = nodeSource(this.store, recoverNodes(this.store, contents), 'roots');
    const unpushed = new Set(protecting.filter(({ root }) => answers.get(root.digest) !== true));
    for (const { root } of unpushed) markRoot(this.marks, nodes, root, UNPUSHED);
    return { unpushed: [...unpushed], dropped: losing.filter((ref) => !unpushed.has(ref)) };
  }

  /**
   * One look at the top is enough: when a tree is marked, so is everything of it that is here, and of a tree whose top is not here nothing
   * is known to belong to it.
   */
  private wouldLose(root: OutRoot, contents: readonly BagContent[]): boolean {
    const raw = rawOf(root.digest);
    if (claimOf(this.marks, root.kind, raw) !== DEAD) return false;
    return (
      this.store.reader.catalog.has(root.kind, raw) || contents.some((content) => bagHolds(content, root.kind, raw))
    );
  }
}
