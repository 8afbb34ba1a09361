import { rawDigestOf } from '../../model/digest.js';
import { OBJECT_DIGEST_OFFSET, OBJECT_HEADER_BYTES, type PackEntry, writeObjectHeader } from '../../model/pack.js';
import type { LoadedPack } from '../catalog.js';
import { kindIn } from '../gc/inventory.js';
import { PackWindow } from '../pack-window.js';
import type { Store } from '../store.js';
import { type Damage, damagedObject } from './damage.js';
import type { Progress } from './progress.js';

/** Packs whose index cannot be read; they are never served. */
export function brokenPacks(store: Store): Damage[] {
  return [...store.reader.catalog.brokenPacks()].map(([name, problem]) => ({ kind: 'pack', name, problem }));
}

/** Reads every object of a pack and compares it with its digest, and its header with the index. Damaged copies are set aside. */
export async function checkPackedObjects(store: Store, pack: LoadedPack, progress: Progress): Promise<Damage[]> {
  const found: Damage[] = [];
  let window: PackWindow;
  try {
    window = new PackWindow(store.files, pack.path);
  } catch {
    // Collected since it was listed, or closed to us: whoever reads from it says so.
    return found;
  }
  try {
    for (const row of rowsInOrder(pack)) {
      const entry = pack.index.entry(row);
      const raw = pack.index.raw(row);
      const problem = store.reader.catalog.isSetAside(pack, raw) ? undefined : problemOf(window, entry, raw);
      if (problem !== undefined) {
        store.reader.setAside(kindIn(pack), raw, { home: 'pack', pack, entry });
        found.push(damagedObject(kindIn(pack), raw, `packs/${pack.name}`, problem));
      }
      await progress.add(1, entry.stored);
    }
  } finally {
    window.close();
  }
  return found;
}

function problemOf(window: PackWindow, entry: PackEntry, raw: Buffer): string | undefined {
  const all = window.view(entry.offset, OBJECT_HEADER_BYTES + entry.stored);
  if (all === undefined) return 'cannot be read';
  const expected = Buffer.alloc(OBJECT_HEADER_BYTES);
  writeObjectHeader(expected, 0, entry);
  raw.copy(expected, OBJECT_DIGEST_OFFSET);
  if (!all.subarray(0, OBJECT_HEADER_BYTES).equals(expected)) return 'has a header that the index contradicts';
  return rawDigestOf(all.subarray(OBJECT_HEADER_BYTES)).equals(raw)
    ? undefined
    : 'has other bytes than its digest says';
}

function rowsInOrder({ index }: LoadedPack): number[] {
  const offsets = Array.from({ length: index.count }, (_, row) => index.entry(row).offset);
  return offsets.map((_, row) => row).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
}
