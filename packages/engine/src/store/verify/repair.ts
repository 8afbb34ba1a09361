import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import { type Digest, digestFromRaw, hexOf } from '../../model/digest.js';
import type { ObjectKind } from '../layout.js';
import { listNames } from '../lease.js';
import type { Store } from '../store.js';
import type { Damage } from './damage.js';
import { salvagePack } from './salvage-pack.js';

/** Brings an object into the store from elsewhere, such as a remote; returns whether it did. */
export type RepairObject = (kind: ObjectKind, digest: Digest) => Promise<boolean>;

/**
 * Repairs one damage; returns whether nothing is lost. An object comes from another copy or through `repairObject`; of a pack the objects are saved
 * and the rest is set aside; a record or note that cannot be read is set aside.
 */
export async function repairDamage(store: Store, damage: Damage, repairObject: RepairObject): Promise<boolean> {
  switch (damage.kind) {
    case 'blob':
    case 'tree':
      return damage.raw !== undefined && repairOne(store, damage.kind, damage.raw, repairObject);
    case 'pack':
      return repairPack(store, damage.name);
    case 'record':
    case 'note':
      setFileAside(store, damage.name);
      return true;
    case 'workspace':
      return false;
  }
}

async function repairOne(store: Store, kind: ObjectKind, raw: Buffer, repairObject: RepairObject): Promise<boolean> {
  const { catalog } = store.reader;
  catalog.refresh();
  if (!catalog.has(kind, raw) && !(await repairObject(kind, digestFromRaw(raw)))) return false;
  catalog.refresh();
  if (!catalog.has(kind, raw)) return false;
  store.files.rmSync(join(store.layout.damaged, `${hexOf(digestFromRaw(raw))}.${kind}`), { force: true });
  return true;
}

async function repairPack(store: Store, name: string): Promise<boolean> {
  const path = join(store.layout.packs, name);
  const complete = await salvagePack(store, path);
  if (complete) store.files.rmSync(path, { force: true });
  else setFileAside(store, path);
  store.reader.close();
  store.reader.catalog.refresh();
  return complete;
}

/** Packs that were set aside whole. While they are there, a missing tree counts as damaged. */
export function packsAside(store: Store): string[] {
  return listNames(store.files, store.layout.damaged).filter((name) => /^[0-9a-f]{32}[.]pack$/.test(name));
}

/** Deletes them, once nothing that they may have held is missing. */
export function dropPacksAside(store: Store): void {
  for (const name of packsAside(store)) store.files.rmSync(join(store.layout.damaged, name), { force: true });
}

function setFileAside(store: Store, path: string): void {
  store.files.mkdirSync(store.layout.damaged, { recursive: true });
  try {
    store.files.renameSync(path, join(store.layout.damaged, path.split('/').slice(-1).join('')));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
