import type { OutRoot } from '../model/root.js';
import type { GcRoots, RootRef } from '../store/gc/roots.js';

/** Roots for a collection in a test; the lists may be changed while it runs. */
export interface TestRoots extends GcRoots {
  liveRoots: OutRoot[];
  recordedRoots: OutRoot[];
  /** Digests that a durable remote holds. */
  onRemote: Set<string>;
  /** Digests that `isOnRemote` was asked about. */
  asked: string[];
  /** Called before each answer of `live`, with the number of the look. */
  beforeLive: (look: number) => Promise<void> | void;
}

/** A {@link GcRoots} over plain lists. */
export function testRoots(live: OutRoot[] = [], recorded: OutRoot[] = []): TestRoots {
  const ref = (root: OutRoot): RootRef => ({ root, why: `test root ${root.digest.slice(7, 15)}` });
  let looks = 0;
  const roots: TestRoots = {
    liveRoots: live,
    recordedRoots: recorded,
    onRemote: new Set(),
    asked: [],
    beforeLive: () => undefined,
    async live() {
      await roots.beforeLive(++looks);
      return roots.liveRoots.map(ref);
    },
    recorded: async () => roots.recordedRoots.map(ref),
    async isOnRemote({ digest }) {
      roots.asked.push(digest);
      return roots.onRemote.has(digest);
    },
  };
  return roots;
}
