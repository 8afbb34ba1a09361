import { SluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import { takeInventory } from './gc/inventory.js';
import type { RootRef } from './gc/roots.js';
import type { Held } from './mutex.js';
import type { Store } from './store.js';
import { checkLooseObjects } from './verify/check-loose.js';
import { damagedNotes } from './verify/check-notes.js';
import { brokenPacks, checkPackedObjects } from './verify/check-packs.js';
import { type CheckedRoots, checkRoots, type IncompleteRoot } from './verify/check-roots.js';
import type { Damage } from './verify/damage.js';
import { createProgress } from './verify/progress.js';
import { dropPacksAside, packsAside, type RepairObject, repairDamage } from './verify/repair.js';

/** How to check a store. */
export interface VerifyStoreOptions {
  /** Reads every byte; without it bytes are trusted that carry the seal of their first check. */
  readonly deep?: boolean | undefined;
  /** Roots that are followed through all their trees: all that is named anywhere, as far as it is known. */
  readonly roots?: readonly RootRef[] | undefined;
  /** Repairs what can be repaired; without it damaged objects are only set aside. */
  readonly repairObject?: RepairObject | undefined;
  readonly emit?: Emit | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Something that is not as it should be, and whether it is again. */
export interface StoreFinding extends Pick<Damage, 'kind' | 'name' | 'problem'> {
  readonly repaired: boolean;
}

/** What a check found. */
export interface StoreVerification {
  readonly findings: readonly StoreFinding[];
  /** Roots of which something is only referred to here; no damage, unless it should be here. */
  readonly incomplete: readonly IncompleteRoot[];
  /** `bytes`: how many were read. */
  readonly checked: { readonly objects: number; readonly bytes: number };
}

/**
 * Checks packs, loose objects, records, notes and the trees of the given roots. Collections wait meanwhile, so that nothing moves. A damaged copy
 * is set aside in any case: it is never served. Throws `ERR_INTERRUPTED` and failures of the file system.
 */
export async function verifyStore(store: Store, options: VerifyStoreOptions = {}): Promise<StoreVerification> {
  const held = await holdCollections(store, options);
  try {
    return await verifyAlone(store, options);
  } finally {
    held?.release();
  }
}

/** A store that cannot be written has no collections to wait for. */
async function holdCollections(store: Store, { signal, repairObject }: VerifyStoreOptions): Promise<Held | undefined> {
  try {
    return await store.acquire('gc', { wait: true, what: 'the store for a check', signal });
  } catch (error) {
    const isReadOnly = error instanceof SluiceError && error.code === 'ERR_STORE_UNWRITABLE';
    if (isReadOnly && repairObject === undefined) return undefined;
    throw error;
  }
}

async function verifyAlone(store: Store, options: VerifyStoreOptions): Promise<StoreVerification> {
  const { deep = false, roots = [], repairObject } = options;
  const { loose, packs } = takeInventory(store);
  const total = {
    objects: packs.reduce((sum, { index }) => sum + index.count, loose.length),
    bytes: deep
      ? packs.reduce(
          (sum, { bytes }) => sum + bytes,
          loose.reduce((sum, { bytes }) => sum + bytes, 0),
        )
      : 0,
  };
  const progress = createProgress(total, options.emit, options.signal);
  const damages = [...brokenPacks(store), ...(await checkLooseObjects(store, deep, progress))];
  for (const pack of packs) {
    if (deep) damages.push(...(await checkPackedObjects(store, pack, progress)));
    else await progress.add(pack.index.count, 0);
  }
  progress.end();
  damages.push(...damagedNotes(store));
  const checked = checkRoots(store, roots);
  damages.push(...checked.damages);
  const counted = { objects: progress.objects, bytes: progress.bytes };
  if (repairObject !== undefined)
    return { ...(await repairAll(store, damages, checked, roots, repairObject)), checked: counted };
  const findings = distinct([...damages, ...asideDamages(store)]).map((damage) => toFinding(damage, false));
  return { findings, incomplete: checked.incomplete, checked: counted };
}

/** A repaired tree shows what lies below it, which may be damaged or missing too: roots are followed again until nothing new comes up. */
async function repairAll(
  store: Store,
  damages: readonly Damage[],
  seen: CheckedRoots,
  roots: readonly RootRef[],
  repairObject: RepairObject,
): Promise<Pick<StoreVerification, 'findings' | 'incomplete'>> {
  const findings = new Map<string, StoreFinding>();
  const fresh = (candidates: readonly Damage[]): Damage[] =>
    distinct(candidates).filter((damage) => !findings.has(keyOf(damage)));
  let checked = seen;
  for (let open = fresh(damages); open.length > 0; open = fresh(checked.damages)) {
    for (const damage of open) {
      findings.set(keyOf(damage), toFinding(damage, await repairDamage(store, damage, repairObject)));
    }
    checked = checkRoots(store, roots);
  }
  for (const damage of fresh(asideDamages(store))) findings.set(keyOf(damage), toFinding(damage, false));
  if (checked.incomplete.length > 0 || roots.length === 0) {
    return { findings: [...findings.values()], incomplete: checked.incomplete };
  }
  // Nothing is missing that they may have held.
  dropPacksAside(store);
  const settled = [...findings.values()].map((finding) =>
    finding.kind === 'pack' ? { ...finding, repaired: true } : finding,
  );
  return { findings: settled, incomplete: [] };
}

function asideDamages(store: Store): Damage[] {
  return packsAside(store).map((name) => ({
    kind: 'pack',
    name,
    problem: new SluiceError('ERR_PACK_INVALID', `pack ${name} was found damaged and set aside`, {
      hint: `Run \`sluice verify --repair\`; what it cannot bring back has to be made again. To give the pack up, delete ${store.layout.damaged}.`,
    }),
  }));
}

function distinct(damages: readonly Damage[]): Damage[] {
  return [...new Map(damages.map((damage) => [keyOf(damage), damage])).values()];
}

function keyOf({ kind, name }: Damage): string {
  return `${kind} ${name}`;
}

function toFinding({ kind, name, problem }: Damage, repaired: boolean): StoreFinding {
  return { kind, name, problem, repaired };
}
