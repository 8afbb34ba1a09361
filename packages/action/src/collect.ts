import type { Engine, GcOptions } from '@sluice/engine';
import type { Inputs } from './inputs.js';

/** Whoever changes back gets the results of the last two weeks without a run. */
const KEPT_RECORDS_MS = 14 * 86_400_000;

const SCOPES: Readonly<Record<Exclude<Inputs['gc'], 'auto' | 'never'>, GcOptions>> = {
  workspace: {},
  'all-branches': { allBranches: true },
  'all-tags': { allTags: true },
  'all-commits': { allCommits: true },
};

/** Collects the store as the step says; by itself only on runners that live on, since others are thrown away with their store. Returns a sentence. */
export async function collect(engine: Engine, gc: Inputs['gc'], isSelfHosted: boolean): Promise<GcDone | undefined> {
  if (gc === 'never' || (gc === 'auto' && !isSelfHosted)) return undefined;
  const { removed, ms } = await engine.gc({ recordsMs: KEPT_RECORDS_MS, ...SCOPES[gc === 'auto' ? 'workspace' : gc] });
  return { objects: removed.blobs + removed.trees, bytes: removed.bytes, ms };
}

/** What a collection removed. */
export interface GcDone {
  readonly objects: number;
  readonly bytes: number;
  readonly ms: number;
}
