import { SluiceError } from '../../errors.js';
import { RAW_DIGEST_BYTES, rawOf, tryParseDigest } from '../../model/digest.js';
import { DigestTable } from '../../model/digest-table.js';
import { MAX_DEPTH, TREE } from '../../model/tree.js';
import type { Place } from '../catalog.js';
import type { RootRef } from '../gc/roots.js';
import type { ObjectKind } from '../layout.js';
import { listNames } from '../lease.js';
import { hashFile } from '../loose.js';
import type { Store } from '../store.js';
import { type Directory, readDirectory } from '../trees.js';
import { type Damage, damagedObject } from './damage.js';

/** A root of which something is not in the store. */
export interface IncompleteRoot {
  readonly ref: RootRef;
  /** Objects that are named but not here; what an absent tree would name is not known. */
  readonly absent: number;
}

/** What following the roots found. */
export interface CheckedRoots {
  readonly damages: readonly Damage[];
  /** Roots that are whole or partly only referred to, which is no damage. */
  readonly incomplete: readonly IncompleteRoot[];
}

/**
 * Follows roots through all their trees: every node is read and checked, every blob must have the size that its entry says. An object that is
 * absent is damage only if it was set aside as damaged before, or if a whole pack was, which may have held it.
 */
export function checkRoots(store: Store, refs: readonly RootRef[]): CheckedRoots {
  store.reader.catalog.refresh();
  const walk = new RootWalk(store, new Set(listNames(store.files, store.layout.damaged).map(asideKey)));
  const incomplete = refs.flatMap((ref) => {
    const absent = walk.absentBelow(ref.root.kind, rawOf(ref.root.digest), 0, 0, ref.root.bytes);
    return absent === 0 ? [] : [{ ref, absent }];
  });
  return { damages: walk.damages, incomplete };
}

class RootWalk {
  readonly damages: Damage[] = [];
  private readonly store: Store;
  /** Per object, how many absent ones were found at or below it. */
  private readonly known: Readonly<Record<ObjectKind, DigestTable>> = {
    blob: new DigestTable(),
    tree: new DigestTable(),
  };
  /** What was set aside: {@link asideKey}s. */
  private readonly aside: ReadonlySet<string>;

  constructor(store: Store, aside: ReadonlySet<string>) {
    this.store = store;
    this.aside = aside;
  }

  /** How many objects at or below this one are not here. `bytes` is what the entry that names it says about its size. */
  absentBelow(kind: ObjectKind, raw: Buffer, rawAt: number, depth: number, bytes: number): number {
    const before = this.known[kind].get(raw, rawAt);
    if (before !== undefined) return before;
    const key = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
    const absent = kind === 'blob' ? this.blob(key, bytes) : this.tree(key, depth, bytes);
    this.known[kind].set(key, 0, absent);
    return absent;
  }

  private blob(raw: Buffer, bytes: number): number {
    const { reader } = this.store;
    const size = reader.size('blob', raw);
    if (size === undefined) return this.gone('blob', raw);
    if (size === bytes) return 0;
    // Cut off, as after a power cut; unless the tree that names it says something wrong.
    const damaged = [...reader.catalog.places('blob', raw)].filter((place) => !this.isSound(place, raw));
    for (const place of damaged) reader.setAside('blob', raw, place);
    reader.catalog.refresh();
    const damage = damagedObject('blob', raw, 'the store', `has ${size} bytes instead of ${bytes}`);
    this.damages.push(damaged.length > 0 ? damage : { ...damage, raw: undefined });
    return damaged.length > 0 ? 1 : 0;
  }

  private isSound(place: Place, raw: Buffer): boolean {
    const { files, reader } = this.store;
    return place.home === 'loose' ? hashFile(files, place.path).equals(raw) : reader.readCopy(place, raw) !== undefined;
  }

  private tree(raw: Buffer, depth: number, bytes: number): number {
    if (!this.store.reader.catalog.has('tree', raw)) return this.gone('tree', raw);
    const directory = depth > MAX_DEPTH ? undefined : this.read(raw);
    if (directory === undefined) return 1;
    if (directory.totalBytes !== bytes)
      this.damages.push(wrongTree(raw, 'is not as large as the entry that names it says'));
    let absent = 0;
    for (let i = 0; i < directory.names.length; i++) {
      const kind = directory.kinds[i] === TREE ? 'tree' : 'blob';
      absent += this.absentBelow(kind, directory.digests, i * RAW_DIGEST_BYTES, depth + 1, directory.sizes[i] ?? 0);
    }
    return absent;
  }

  private read(raw: Buffer): Directory | undefined {
    try {
      return readDirectory(this.store.reader, raw);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      // It may be a part of a split directory that is absent or damaged.
      const digest = tryParseDigest(error.details?.digest);
      const culprit = digest === undefined ? raw : rawOf(digest);
      if (error.code === 'ERR_OBJECT_MISSING') this.gone('tree', culprit);
      else if (error.code !== 'ERR_OBJECT_DAMAGED')
        this.damages.push(wrongTree(culprit, `is no tree: ${error.message}`));
      else this.damages.push(damagedObject('tree', culprit, 'the store', 'has other bytes than its digest says'));
      return undefined;
    }
  }

  private gone(kind: ObjectKind, raw: Buffer): number {
    const hex = raw.toString('hex');
    if (this.aside.has(`${hex}.${kind}`) || this.aside.has(`${hex}.pack`)) {
      this.damages.push(damagedObject(kind, raw, 'the store', 'was found damaged before and set aside'));
    } else if (this.aside.has(WHOLE_PACK)) {
      this.damages.push(
        damagedObject(kind, raw, 'the store', 'is missing, and a pack that was set aside may have held it'),
      );
    }
    return 1;
  }
}

/** A node that has its digest and is wrong all the same: it was written so, and no other copy can be better. */
function wrongTree(raw: Buffer, what: string): Damage {
  return { ...damagedObject('tree', raw, 'the store', what), raw: undefined };
}

const WHOLE_PACK = 'pack';

/** `<hex>.blob` and `<hex>.tree` as they are; `<hex>.pack` for the marker of a copy in a pack; {@link WHOLE_PACK} for a pack. */
function asideKey(name: string): string {
  if (/^[0-9a-f]{32}[.]pack$/.test(name)) return WHOLE_PACK;
  return name.replace(/^([0-9a-f]{64})[.][0-9a-f]{32}[.]pack$/, '$1.pack');
}
