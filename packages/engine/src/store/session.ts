import { dirname, join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { Catalog } from './catalog.js';
import { type Durability, syncDirectories, syncFiles } from './durable.js';
import type { Files } from './files.js';
import { Ingestor, type IngestSettings, type Unpublished } from './ingest.js';
import type { Layout } from './layout.js';
import { type Lease, openLease } from './lease.js';
import { explained } from './unwritable.js';

/**
 * One writer's visit to the store: a lease, any number of ingestors on any threads, and one moment of publication. Objects that the session
 * wrote or asked for are safe from collections until {@link WriteSession.end}, which must come after whatever names them is durable.
 */
export interface WriteSession {
  readonly lease: Lease;
  /** Settings for an ingestor on another thread. */
  settings(packed: boolean): IngestSettings;
  /** An ingestor on this thread. */
  ingestor(packed: boolean): Ingestor;
  /** Gives everything its name. After this the objects are durable and visible to all. */
  publish(written: readonly Unpublished[]): void;
  /** Releases the lease and deletes what was not published. Safe to call twice. */
  end(): void;
}

/** Begins a session. Throws `ERR_STORE_UNWRITABLE` if the store cannot be written, `ERR_DISK_FULL` if there is no space. */
export function beginSession(files: Files, layout: Layout, durability: Durability, catalog: Catalog): WriteSession {
  const lease = explained(layout, () => openLease(files, layout));
  const settings = (packed: boolean): IngestSettings => ({
    tmpDir: lease.tmpDir,
    leasePath: lease.path,
    durability,
    packed,
  });
  return {
    lease,
    settings,
    ingestor: (packed) => new Ingestor(files, settings(packed), catalog),
    publish: (written) => publish(files, layout, durability, lease, written),
    end: () => lease.release(),
  };
}

/** Loose files are made durable in one go (packs are already), then everything is renamed, then the directories are made durable. */
function publish(
  files: Files,
  layout: Layout,
  durability: Durability,
  lease: Lease,
  written: readonly Unpublished[],
): void {
  const loose = written.flatMap((part) => part.loose);
  const packs = written.flatMap((part) => part.packs);
  syncFiles(
    files,
    durability,
    lease.tmpDir,
    loose.map((file) => file.tmpPath),
  );
  const touched = new Set<string>();
  for (const file of loose) {
    const path = join(layout.objects, file.name);
    if (renameInto(files, file.tmpPath, path)) touched.add(layout.objects).add(layout.dir);
    touched.add(dirname(path));
  }
  for (const pack of packs) {
    if (renameInto(files, pack.tmpPath, join(layout.packs, pack.name))) touched.add(layout.dir);
    touched.add(layout.packs);
  }
  syncDirectories(files, durability, touched);
}

/** Renames, making the directory if it is not there (or if a collection has just removed it, empty). Returns whether it was made. */
function renameInto(files: Files, from: string, to: string): boolean {
  let made = false;
  for (let attempt = 0; ; attempt++) {
    try {
      files.renameSync(from, to);
      return made;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === 5) throw error;
      made = files.mkdirSync(dirname(to), { recursive: true }) !== undefined || made;
    }
  }
}
