import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestFromRaw, hexOf } from '../model/digest.js';
import { loadPack } from './catalog.js';
import type { Files } from './files.js';
import { type Layout, looseName, type ObjectKind } from './layout.js';
import { listNames } from './lease.js';

/**
 * What one collection is about to delete, in the shape of the store: `trash/<id>/objects/…` and `trash/<id>/packs/…`.
 * Moving there and back is a rename, so at any moment an object is in one place or the other.
 */
export interface TrashBag {
  readonly dir: string;
}

export function openTrash(files: Files, layout: Layout): TrashBag {
  const dir = join(layout.trash, randomBytes(8).toString('hex'));
  files.mkdirSync(join(dir, 'objects'), { recursive: true });
  files.mkdirSync(join(dir, 'packs'), { recursive: true });
  return { dir };
}

/** Moves `objects/<name>` or `packs/<name>` into the bag; one that is gone already is no error. */
export function moveToTrash(
  files: Files,
  layout: Layout,
  bag: TrashBag,
  home: 'objects' | 'packs',
  name: string,
): void {
  const to = join(bag.dir, home, name);
  files.mkdirSync(dirname(to), { recursive: true });
  renameIfThere(files, join(layout[home], name), to);
}

/** Moves it back. */
export function takeFromTrash(
  files: Files,
  layout: Layout,
  bag: TrashBag,
  home: 'objects' | 'packs',
  name: string,
): void {
  const from = join(bag.dir, home, name);
  const to = join(layout[home], name);
  // A collection may remove the empty directory between the two calls, while the object is still in the bag.
  for (let attempt = 0; attempt < 5; attempt++) {
    files.mkdirSync(dirname(to), { recursive: true });
    renameIfThere(files, from, to);
    if (files.statSync(from, { throwIfNoEntry: false }) === undefined) return;
  }
}

/** Bags of collections that did not finish. */
export function openBags(files: Files, layout: Layout): TrashBag[] {
  return listNames(files, layout.trash).map((id) => ({ dir: join(layout.trash, id) }));
}

/** Everything in a bag: names of loose objects (`ab/<rest>`) and of packs. */
export function listBag(files: Files, bag: TrashBag): { objects: string[]; packs: string[] } {
  const objectsDir = join(bag.dir, 'objects');
  const objects = listNames(files, objectsDir).flatMap((prefix) =>
    listNames(files, join(objectsDir, prefix)).map((rest) => `${prefix}/${rest}`),
  );
  return { objects, packs: listNames(files, join(bag.dir, 'packs')) };
}

/** Deletes a bag for good. */
export function emptyBag(files: Files, bag: TrashBag): void {
  files.rmSync(bag.dir, { recursive: true, force: true });
}

/** Brings one object back if a collection has moved it away; looks into every bag. */
export function recoverFromTrash(files: Files, layout: Layout, kind: ObjectKind, raw: Buffer): void {
  const name = looseName(kind, hexOf(digestFromRaw(raw)));
  for (const bag of openBags(files, layout)) {
    takeFromTrash(files, layout, bag, 'objects', name);
    for (const pack of listNames(files, join(bag.dir, 'packs'))) {
      if (packHolds(files, join(bag.dir, 'packs', pack), pack, raw)) takeFromTrash(files, layout, bag, 'packs', pack);
    }
  }
}

function packHolds(files: Files, path: string, name: string, raw: Buffer): boolean {
  try {
    return loadPack(files, name, path).index.find(raw) >= 0;
  } catch (error) {
    if (error instanceof SluiceError || errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function renameIfThere(files: Files, from: string, to: string): void {
  try {
    files.renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
