import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { asSluiceError, errnoOf, SluiceError } from '../errors.js';
import { type Durability, writeFileDurably } from './durable.js';
import { type Files, realFiles } from './files.js';
import { StoreMoved } from './ingest.js';
import { type Layout, STORE_VERSION, storeLayout } from './layout.js';
import { listNames } from './lease.js';
import { type AcquireOptions, acquire, type Held } from './mutex.js';
import { ObjectReader } from './reader.js';
import { beginSession, type WriteSession } from './session.js';
import { explainUnwritable } from './unwritable.js';

/** How a store is opened. */
export interface StoreOptions {
  readonly dir: string;
  readonly durability?: Durability;
  readonly files?: Files;
}

/** An open store: reading, writing sessions and locks. Belongs to one thread; other threads and processes open it for themselves. */
export interface Store {
  readonly layout: Layout;
  readonly files: Files;
  readonly durability: Durability;
  readonly reader: ObjectReader;
  /**
   * Runs `write` in a session and ends it afterwards, whatever happens. When a collection moved what the writer had counted on, everything
   * begins again with a fresh session, so `write` must bear being called more than once.
   */
  write<T>(write: (session: WriteSession) => Promise<T> | T): Promise<T>;
  /** Takes a lock; see `mutex.ts`. */
  acquire(name: string, options: AcquireOptions): Promise<Held>;
  /** Whether nobody has the lock, or died with it, at this moment. */
  isFree(name: string): boolean;
  close(): void;
}

const ATTEMPTS = 10;

/**
 * Opens a store, making its directory at the first use. Throws `ERR_FORMAT_VERSION` for a store of a newer Sluice,
 * `ERR_STORE_UNWRITABLE` if it does not exist and cannot be made, `ERR_DISK_FULL`.
 */
export function openStore(options: StoreOptions): Store {
  const files = options.files ?? realFiles;
  const layout = storeLayout(options.dir);
  const durability = options.durability ?? 'batch';
  prepare(files, layout, durability);
  const reader = new ObjectReader(files, layout);
  return {
    layout,
    files,
    durability,
    reader,
    write: (write) => writeInSession(layout, () => beginSession(files, layout, durability, reader.catalog), write),
    acquire: (name, acquireOptions) => acquire(files, layout, name, acquireOptions),
    isFree: (name) => listNames(files, join(layout.locks, name)).length === 0,
    close: () => reader.close(),
  };
}

async function writeInSession<T>(
  layout: Layout,
  begin: () => WriteSession,
  write: (session: WriteSession) => Promise<T> | T,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const session = begin();
    try {
      return await write(session);
    } catch (error) {
      if (!(error instanceof StoreMoved)) throw explainUnwritable(layout, error);
      if (attempt === ATTEMPTS) throw keepsMoving(error);
    } finally {
      session.end();
    }
  }
}

function keepsMoving(cause: StoreMoved): SluiceError {
  return new SluiceError('ERR_HELD', 'collections keep moving what is to be relied on', {
    cause,
    hint: 'Run again when they have ended; nothing was lost.',
  });
}

function prepare(files: Files, layout: Layout, durability: Durability): void {
  const version = readVersion(files, layout);
  if (version === undefined) {
    try {
      files.mkdirSync(layout.dir, { recursive: true });
      const tmp = join(layout.dir, `.version-${randomBytes(6).toString('hex')}`);
      writeFileDurably(files, durability, layout.version, tmp, `${STORE_VERSION}\n`);
    } catch (error) {
      const code = errnoOf(error) ?? 'unknown';
      if (code === 'ENOSPC' || code === 'EDQUOT') throw asSluiceError(error);
      throw new SluiceError('ERR_STORE_UNWRITABLE', `no store can be made at ${layout.dir} (${code})`, {
        cause: error,
        hint: 'Check the permissions, or choose another place with "store" in sluice.json or SLUICE_STORE.',
      });
    }
    return;
  }
  if (version !== String(STORE_VERSION)) {
    throw new SluiceError('ERR_FORMAT_VERSION', `the store ${layout.dir} has version ${JSON.stringify(version)}`, {
      hint: `This Sluice knows version ${STORE_VERSION}; update it in this workspace.`,
    });
  }
}

function readVersion(files: Files, layout: Layout): string | undefined {
  try {
    return files.readFileSync(layout.version, 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
