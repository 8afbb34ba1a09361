import { SluiceError } from '../../../errors.js';
import type { ByteRange } from '../port.js';

/**
 * What Sluice asks of a cache service, whichever protocol it speaks. Entries are immutable, evicted at any time, and seen by the scopes of the token only.
 * Every call throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED`, `ERR_DISK_FULL` or `ERR_INTERRUPTED`.
 */
export interface CacheService {
  /**
   * Whether it refuses a second entry of a key and knows which entry is the newest. Where it does not, two writers of one key both believe that they are the
   * only one, and have to look.
   */
  readonly arbitrates: boolean;
  /** The entry of a key, or the newest one whose key begins with it. What a service finds by its own rules of prefixes is never taken for another key. */
  find(key: string, how: 'exact' | 'newest', signal: AbortSignal | undefined): Promise<FoundEntry | undefined>;
  /** Reserves a key; the entry is there when it is finished. `exists`: somebody has it, or has reserved it. */
  create(key: string, signal: AbortSignal | undefined): Promise<EntryUpload | 'exists'>;
  /** A part of an entry, fewer bytes where it ends. `gone`: it was evicted; `expired`: the URL is too old. */
  read(url: string, range: ByteRange, signal: AbortSignal | undefined): Promise<Buffer | 'gone' | 'expired'>;
}

/** An entry and where to read it, for some minutes. The URL is a secret. */
export interface FoundEntry {
  readonly key: string;
  readonly url: string;
}

/** An entry that is being written. */
export interface EntryUpload {
  /** Sends all of it and finishes it. */
  whole(bytes: Buffer, signal: AbortSignal | undefined): Promise<void>;
  /** Sends one block, in any order and at once with others. */
  block(number: number, offset: number, bytes: Buffer, signal: AbortSignal | undefined): Promise<void>;
  /** Makes an entry of all blocks. */
  finish(blocks: number, sizeBytes: number, signal: AbortSignal | undefined): Promise<void>;
}

/** A service that was refused once is not asked the same again: a token does not get more rights while it lives. */
export function rememberDenials(service: CacheService): CacheService {
  const denied = new Map<'find' | 'create', SluiceError>();
  const guard = async <T>(what: 'find' | 'create', call: () => Promise<T>): Promise<T> => {
    const before = denied.get(what);
    if (before !== undefined) throw before;
    try {
      return await call();
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'ERR_REMOTE_DENIED') denied.set(what, error);
      throw error;
    }
  };
  return {
    arbitrates: service.arbitrates,
    find: (key, how, signal) => guard('find', () => service.find(key, how, signal)),
    create: (key, signal) => guard('create', () => service.create(key, signal)),
    read: service.read,
  };
}
