import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../../errors.js';
import type { Area } from '../areas.js';
import { parseKey } from '../keys.js';
import type { ListedObject, Storage, StorageKey } from '../storage/port.js';
import { type Condemned, readCondemned } from './condemned.js';
import { HOLD_TIMES, type HoldTimes, heldError, isHeld } from './hold.js';
import type { QuietNote } from './quiet-note.js';

/** The times of a pusher, in ms; all of them together are shorter than the shortest grace period. */
export interface LookoutTimes extends HoldTimes {
  /** So long a look at the list is good. */
  readonly lookMs: number;
  /** What a look has shown may be named by a map that is written at most so long after it. */
  readonly limitMs: number;
  /** How long a renewal waits for a collection to end. */
  readonly waitMs: number;
  readonly pollMs: number;
}

/** Those of the protocol: `docs/adr/0012-collecting-a-remote.md`. */
const LOOKOUT_TIMES: LookoutTimes = {
  ...HOLD_TIMES,
  lookMs: 6 * 60 * 60 * 1000,
  limitMs: 12 * 60 * 60 * 1000,
  waitMs: 60 * 1000,
  pollMs: 1000,
};

/** What a lookout is made of. */
export interface LookoutOptions {
  readonly storage: Storage;
  readonly times?: LookoutTimes | undefined;
  /** Remembers from process to process that there was no list. */
  readonly quiet?: QuietNote | undefined;
}

/** A moment by two clocks: one may be set, the other one may stand still while the machine sleeps. */
export interface Moment {
  readonly wallMs: number;
  readonly runMs: number;
}

interface Look {
  readonly at: Moment;
  readonly condemned: Condemned;
  /** What is on the list and was written again since, so that no collection takes it. */
  readonly renewed: Set<StorageKey>;
}

/** Keeps a writer from relying on what a collection is about to delete. */
export class Lookout {
  private readonly storage: Storage;
  private readonly times: LookoutTimes;
  private readonly quiet: QuietNote | undefined;
  private readonly looks = new Map<Area, { readonly at: Moment; readonly look: Promise<Look> }>();

  constructor({ storage, times = LOOKOUT_TIMES, quiet }: LookoutOptions) {
    this.storage = storage;
    this.times = times;
    this.quiet = quiet;
  }

  /**
   * Whether a collection is about to delete an object of an area: one request in six hours, and more for what is on the list and may have been renewed. Throws `ERR_FORMAT_VERSION` and what the
   * storage throws.
   */
  async isCondemned(area: Area, key: StorageKey, signal: AbortSignal | undefined): Promise<boolean> {
    const { condemned, renewed } = await this.look(area, signal);
    const listed = condemned.get(key);
    if (listed === undefined || renewed.has(key)) return false;
    // Nobody writes the name of a pack twice.
    if (parseKey(key)?.kind === 'packs') return true;
    const now = await this.find(key, signal);
    const isNew = now !== undefined && (now.modifiedMs !== listed.modifiedMs || now.bytes !== listed.bytes);
    if (!isNew || !(await this.isSafe(area, now, signal))) return true;
    renewed.add(key);
    return false;
  }

  /** When the oldest look was taken that {@link isCondemned} goes by now. */
  oldestLook(): Moment {
    let oldest = nowOf();
    for (const { at } of this.looks.values()) if (ageOf(at) > ageOf(oldest)) oldest = at;
    return oldest;
  }

  /** Whether a map may be written that relies on what a look at that moment has shown. */
  mayRelySince(moment: Moment): boolean {
    return ageOf(moment) <= this.times.limitMs;
  }

  /** Nobody has written to this remote before. */
  isNew(area: Area): void {
    const at = nowOf();
    this.looks.set(area, { at, look: Promise.resolve({ at, condemned: new Map(), renewed: new Set() }) });
    this.quiet?.write(area, at.wallMs);
  }

  /**
   * Writes an object under a name that a collection may be deleting, or replacing, at this moment: when this returns, the object is there, and no collection that
   * has looked before will delete it. `put` says whether it has written it; if not, nothing else is done. Throws `ERR_HELD` if a collection does not end, and what
   * `put` throws.
   */
  async renew(
    area: Area,
    key: StorageKey,
    put: () => Promise<boolean>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { storage, times } = this;
    const beganMs = performance.now();
    for (;;) {
      if (!(await put())) return;
      const written = await this.find(key, signal);
      if (written !== undefined && (await this.isSafe(area, written, signal))) break;
      // If it is gone again, every hold counts.
      const nowMs = written?.modifiedMs ?? Number.NEGATIVE_INFINITY;
      while (await isHeld(storage, area, nowMs, times, signal)) {
        throwIfAborted(signal);
        if (performance.now() - beganMs > times.waitMs) throw heldError(storage, key);
        await sleep(times.pollMs);
      }
    }
    (await this.look(area, signal)).renewed.add(key);
  }

  /**
   * Whether no collection deletes an object that was written since it was listed. In this order: a collection that begins after the first question sees the new time, and one that is over by
   * then has deleted what it would.
   */
  private async isSafe(area: Area, written: ListedObject, signal: AbortSignal | undefined): Promise<boolean> {
    if (await isHeld(this.storage, area, written.modifiedMs, this.times, signal)) return false;
    return (await this.storage.stat(written.key, { signal })) !== undefined;
  }

  /** An object with its time; where nothing can be listed, nobody collects. */
  private async find(key: StorageKey, signal: AbortSignal | undefined): Promise<ListedObject | undefined> {
    const { list } = this.storage;
    if (list === undefined) return { key, bytes: 0, modifiedMs: 0 };
    for await (const object of list.call(this.storage, key, { signal })) if (object.key === key) return object;
    return undefined;
  }

  private async look(area: Area, signal: AbortSignal | undefined): Promise<Look> {
    const known = this.looks.get(area);
    if (known !== undefined && ageOf(known.at) < this.times.lookMs) return known.look;
    const at = nowOf();
    const look = this.lookNow(area, at, signal);
    this.looks.set(area, { at, look });
    try {
      const taken = await look;
      this.looks.set(area, { at: taken.at, look });
      return taken;
    } catch (error) {
      this.looks.delete(area);
      throw error;
    }
  }

  private async lookNow(area: Area, at: Moment, signal: AbortSignal | undefined): Promise<Look> {
    const base = { renewed: new Set<StorageKey>() };
    // What evicts is not collected.
    if (!this.storage.durable) return { at, condemned: new Map(), ...base };
    const quietMs = this.quiet?.read(area);
    if (quietMs !== undefined && quietMs <= at.wallMs && at.wallMs - quietMs < this.times.lookMs) {
      return { at: { wallMs: quietMs, runMs: at.runMs - (at.wallMs - quietMs) }, condemned: new Map(), ...base };
    }
    const condemned = await readCondemned(this.storage, area, signal);
    if (condemned !== undefined && condemned.size > 0) return { at, condemned, ...base };
    this.quiet?.write(area, at.wallMs);
    return { at, condemned: new Map(), ...base };
  }
}

function nowOf(): Moment {
  return { wallMs: Date.now(), runMs: performance.now() };
}

function ageOf({ wallMs, runMs }: Moment): number {
  return Math.max(Date.now() - wallMs, performance.now() - runMs);
}
