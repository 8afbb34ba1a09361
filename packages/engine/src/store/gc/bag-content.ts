import { dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../../errors.js';
import { type LoadedPack, loadPack } from '../catalog.js';
import { syncDirectories } from '../durable.js';
import { looseName, type ObjectKind } from '../layout.js';
import type { Store } from '../store.js';
import { emptyBag, listBag, type TrashBag, takeFromTrash } from '../trash.js';
import { kindIn } from './inventory.js';
import { claimOf, DEAD, type Marks } from './mark.js';
import type { Recover } from './node-source.js';

/** What lies in a trash bag, with the indexes of its packs. */
export interface BagContent {
  readonly bag: TrashBag;
  /** Names below `objects/`. */
  readonly loose: Set<string>;
  readonly packs: Map<string, LoadedPack>;
  /** Directories that got a name back. */
  readonly touched: Set<string>;
}

/** Reads a bag. A pack whose index cannot be read goes back to its place, where it stops collections until it is repaired. */
export function readBag(store: Store, bag: TrashBag): BagContent {
  const { objects, packs } = listBag(store.files, bag);
  const loaded = new Map<string, LoadedPack>();
  for (const name of packs) {
    try {
      loaded.set(name, loadPack(store.files, name, join(bag.dir, 'packs', name)));
    } catch (error) {
      // A reader that needed it has just brought it back.
      if (errnoOf(error) === 'ENOENT') continue;
      if (!(error instanceof SluiceError)) throw error;
      takeFromTrash(store.files, store.layout, bag, 'packs', name);
    }
  }
  return { bag, loose: new Set(objects), packs: loaded, touched: new Set() };
}

/** Brings tree nodes back while they are being marked: what a bag holds may be what a new root names. */
export function recoverNodes(store: Store, contents: readonly BagContent[]): Recover {
  return (raw, rawAt) => {
    for (const content of contents) {
      const name = looseName('tree', raw.toString('hex', rawAt, rawAt + 32));
      if (content.loose.has(name)) return bringBack(store, content, 'objects', name);
      for (const pack of content.packs.values()) {
        if (kindIn(pack) !== 'tree' || pack.index.find(raw, rawAt) < 0) continue;
        if (store.reader.catalog.isSetAside(pack, raw, rawAt)) continue;
        return bringBack(store, content, 'packs', pack.name);
      }
    }
    return false;
  };
}

/** Whether a bag holds an object. */
export function bagHolds(content: BagContent, kind: ObjectKind, raw: Buffer): boolean {
  if (content.loose.has(looseName(kind, raw.toString('hex')))) return true;
  return [...content.packs.values()].some((pack) => kindIn(pack) === kind && pack.index.find(raw) >= 0);
}

/**
 * Brings everything back that is marked and lies nowhere else: what writers have begun to rely on since the first look, or what a collection
 * that was killed had moved. A pack comes back whole.
 */
export function restoreMarked(store: Store, content: BagContent, marks: Marks): void {
  const { catalog } = store.reader;
  catalog.refresh();
  for (const name of [...content.loose]) {
    const kind = name.endsWith('.tree') ? 'tree' : 'blob';
    const raw = Buffer.from(name.replace('/', '').replace('.tree', ''), 'hex');
    if (claimOf(marks, kind, raw) !== DEAD && !catalog.has(kind, raw)) bringBack(store, content, 'objects', name);
  }
  for (const pack of [...content.packs.values()]) {
    if (holdsMarked(store, pack, marks)) bringBack(store, content, 'packs', pack.name);
  }
  // Before the bag is deleted: no crash may undo the one and keep the other.
  syncDirectories(store.files, store.durability, content.touched);
}

/** Puts everything back where it was, after a collection that could not go on. */
export function restoreAll(store: Store, bag: TrashBag): void {
  const { objects, packs } = listBag(store.files, bag);
  for (const name of packs) takeFromTrash(store.files, store.layout, bag, 'packs', name);
  for (const name of objects) takeFromTrash(store.files, store.layout, bag, 'objects', name);
  // What could not be moved is left for the next collection.
  const left = listBag(store.files, bag);
  if (left.objects.length + left.packs.length === 0) emptyBag(store.files, bag);
}

function holdsMarked(store: Store, pack: LoadedPack, marks: Marks): boolean {
  const { catalog } = store.reader;
  const kind = kindIn(pack);
  for (let row = 0; row < pack.index.count; row++) {
    const raw = pack.index.raw(row);
    if (claimOf(marks, kind, raw) === DEAD || catalog.isSetAside(pack, raw)) continue;
    if (!catalog.has(kind, raw)) return true;
  }
  return false;
}

function bringBack(store: Store, content: BagContent, home: 'objects' | 'packs', name: string): true {
  takeFromTrash(store.files, store.layout, content.bag, home, name);
  content.touched.add(dirname(join(store.layout[home], name)));
  if (home === 'objects') content.loose.delete(name);
  else content.packs.delete(name);
  store.reader.catalog.refresh();
  return true;
}
