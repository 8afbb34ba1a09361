import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { Ingestor } from './ingest.js';
import { LOOSE_BYTES } from './layout.js';
import { isFileOfLiveOwner, listNames } from './lease.js';
import { hashFile, isSealed } from './loose.js';
import { PackWindow } from './pack-window.js';
import type { Store } from './store.js';
import { takeObjects } from './verify/salvage-pack.js';

/**
 * Publishes what killed writers had finished under `tmp/` and not published yet, so that it has not to be fetched or hashed again: objects of packs, which say themselves what
 * they are, and loose blobs, which are named by their digest. Nothing is believed that does not have its digest. Throws what a write session throws.
 */
export async function salvageLeftovers(store: Store): Promise<void> {
  const { files, layout } = store;
  const dead = listNames(files, layout.tmp).filter(
    (name) => !isFileOfLiveOwner(files, join(layout.leases, name), name),
  );
  if (dead.length === 0) return;
  await store.write((session) => {
    const ingestor = session.ingestor(true);
    try {
      for (const name of dead) {
        const taken = join(session.lease.tmpDir, name);
        // Of several that try, and of a collection that deletes it, one has it.
        ifThere(() => {
          files.renameSync(join(layout.tmp, name), taken);
          takeDirectory(store, taken, ingestor);
        });
      }
    } catch (error) {
      ingestor.abandon();
      throw error;
    }
    session.publish([ingestor.finish()]);
  });
  store.reader.catalog.refresh();
}

function takeDirectory(store: Store, dir: string, ingestor: Ingestor): void {
  for (const name of store.files.readdirSync(dir)) ifThere(() => takeEntry(store, join(dir, name), ingestor));
}

function takeEntry(store: Store, path: string, ingestor: Ingestor): void {
  const { files } = store;
  const stat = files.lstatSync(path);
  if (stat.isDirectory()) takeDirectory(store, path, ingestor);
  else if (path.endsWith('.pack')) takePack(store, path, ingestor);
  else if (stat.isFile() && stat.size >= LOOSE_BYTES && isSealed(stat)) {
    const raw = hashFile(files, path);
    if (!ingestor.has('blob', raw)) ingestor.adopt(path, raw, 0);
  }
}

function takePack(store: Store, path: string, ingestor: Ingestor): void {
  const window = new PackWindow(store.files, path);
  try {
    takeObjects(window, ingestor);
  } finally {
    window.close();
  }
}

function ifThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
