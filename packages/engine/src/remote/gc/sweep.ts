import { randomBytes } from 'node:crypto';
import type { Area } from '../areas.js';
import { parseKey, receiptKey } from '../keys.js';
import { inParallel } from '../parallel.js';
import type { Remote } from '../remote.js';
import { bodyOf, type ListedObject, type StorageKey } from '../storage/port.js';
import type { Condemned } from './condemned.js';
import type { Hold } from './hold.js';
import type { KeptPlan } from './plan-kept.js';
import type { Survey } from './survey.js';

const MOST_REQUESTS = 16;

/** What may be deleted, in steps: all of one step has to be gone before the next one begins. */
export type Sweep = readonly (readonly ListedObject[])[];

/**
 * What of a list is to be deleted: what was not written since, and what no map needs that stays. Whoever is stopped on the way leaves no record without its map, and no map
 * without what it names.
 */
export function planSweep(survey: Survey, plan: KeptPlan, condemned: Condemned, own: Area): Sweep {
  const unchanged: ListedObject[] = [];
  for (const listed of condemned.values()) {
    const now = survey.objects.get(listed.key);
    if (now?.modifiedMs === listed.modifiedMs && now.bytes === listed.bytes) unchanged.push(now);
  }
  const ofKind = (kind: string): ListedObject[] =>
    unchanged.filter(({ key }) => {
      const parts = parseKey(key);
      return parts?.kind === kind && parts.area === own;
    });
  const records = ofKind('records').filter(({ key }) => !plan.records.has(key));
  const maps = new Map(ofKind('maps').flatMap((object) => (plan.maps.has(object.key) ? [] : [[object.key, object]])));
  const spare = (key: StorageKey): void => {
    for (const named of survey.maps.get(key)?.maps ?? []) {
      if (maps.delete(named)) spare(named);
    }
  };
  for (const key of survey.maps.keys()) if (!maps.has(key)) spare(key);
  const needed = new Set<StorageKey>();
  for (const [key, map] of survey.maps) {
    if (maps.has(key)) continue;
    for (const named of [...map.packs, ...map.blobs]) needed.add(named);
  }
  const rest = [...ofKind('packs'), ...ofKind('blobs')].filter(({ key }) => !needed.has(key));
  return [records, ...inOrder(maps, survey), rest].filter((step) => step.length > 0);
}

/** Maps that others name come after those. */
function inOrder(maps: ReadonlyMap<StorageKey, ListedObject>, survey: Survey): ListedObject[][] {
  const left = new Map(maps);
  const steps: ListedObject[][] = [];
  while (left.size > 0) {
    const named = new Set([...left.keys()].flatMap((key) => survey.maps.get(key)?.maps ?? []));
    const step = [...left.values()].filter(({ key }) => !named.has(key));
    // Maps that name each other in a circle are lies, and go together.
    steps.push(step.length > 0 ? step : [...left.values()]);
    for (const { key } of steps.at(-1) ?? []) left.delete(key);
  }
  return steps;
}

/** What a receipt says besides what was deleted. */
export interface ReceiptHead {
  /** Time of the storage, ms. */
  readonly at: number;
  readonly by: string;
  readonly graceMs: number;
}

/** Deletes; a receipt is written before. Returns whether there was time for all of it. Throws what the storage throws. */
export async function carryOut(
  { storage, areas }: Remote,
  sweep: Sweep,
  head: ReceiptHead,
  {
    hold,
    gone,
    signal,
  }: { readonly hold: Hold; readonly gone: Set<StorageKey>; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const deleted = sweep.flat().map(({ key, bytes, modifiedMs }) => [key, bytes, modifiedMs]);
  if (deleted.length === 0) return true;
  const text = `${JSON.stringify({ version: 1, ...head, deleted })}\n`;
  await storage.put(receiptKey(areas.own, randomBytes(16)), bodyOf(Buffer.from(text)), { signal });
  for (const step of sweep) {
    await inParallel(step, MOST_REQUESTS, async ({ key }) => {
      if (!hold.mayGoOn()) return;
      await storage.delete?.(key, { signal });
      gone.add(key);
    });
    if (step.some(({ key }) => !gone.has(key))) return false;
  }
  return true;
}
