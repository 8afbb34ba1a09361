import { join } from 'node:path';
import { hashFile, isSealed, reseal, setLooseAside } from '../loose.js';
import { type LooseObject, listLoose } from '../loose-list.js';
import type { Store } from '../store.js';
import { type Damage, damagedObject, readProblem } from './damage.js';
import type { Progress } from './progress.js';

const PERMISSIONS = 0o777;
const READ_ONLY = 0o444;

/**
 * Checks the loose objects: those with their seal by size and time alone, unless `deep`; the others by reading them. Sound ones get their
 * seal back, damaged ones are set aside.
 */
export async function checkLooseObjects(store: Store, deep: boolean, progress: Progress): Promise<Damage[]> {
  const { files, layout } = store;
  const found: Damage[] = [];
  for (const object of listLoose(files, layout)) {
    const trusted = isSealed(object) && (object.mode & PERMISSIONS) === READ_ONLY;
    if (trusted && !deep) {
      await progress.add(1, 0);
      continue;
    }
    const problem = problemOf(store, object, trusted);
    if (problem !== undefined) {
      setLooseAside(files, layout, object.kind, object.raw);
      found.push(damagedObject(object.kind, object.raw, `objects/${object.name}`, problem));
    }
    await progress.add(1, object.bytes);
  }
  return found;
}

function problemOf({ files, layout }: Store, object: LooseObject, trusted: boolean): string | undefined {
  const path = join(layout.objects, object.name);
  try {
    if (!hashFile(files, path).equals(object.raw)) return 'has other bytes than its digest says';
    if (!trusted) reseal(files, path);
    return undefined;
  } catch (error) {
    return readProblem(error);
  }
}
