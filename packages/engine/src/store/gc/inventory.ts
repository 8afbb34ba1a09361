import { BLOB } from '../../model/pack.js';
import type { LoadedPack } from '../catalog.js';
import type { ObjectKind } from '../layout.js';
import { type LooseObject, listLoose } from '../loose-list.js';
import type { Store } from '../store.js';

/** Everything that lies in a store at one moment. */
export interface Inventory {
  readonly loose: readonly LooseObject[];
  readonly packs: readonly LoadedPack[];
}

/** Looks at the store as it is now. */
export function takeInventory(store: Store): Inventory {
  store.reader.catalog.refresh();
  return { loose: [...listLoose(store.files, store.layout)], packs: store.reader.catalog.packs() };
}

/** What the objects of a pack are looked up as: blobs and trees never share one. */
export function kindIn({ index }: LoadedPack): ObjectKind {
  return index.count === 0 || index.entry(0).kind === BLOB ? 'blob' : 'tree';
}
