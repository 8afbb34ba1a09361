/**
 * The port under the remote format: a place that keeps bytes under keys. Every driver and every wrapper passes the contract in
 * `storage.suite.ts`, so they can be put around each other in any order.
 *
 * *Not found* is a value. *Could not look* is an error: `ERR_REMOTE_DOWN` where a later try may succeed, `ERR_REMOTE_DENIED` where it cannot.
 */
export interface Storage {
  /** Where it is, for messages; never holds a secret. */
  readonly description: string;
  /** Whether what is put here stays until it is deleted. A place that evicts is never a safe copy. */
  readonly durable: boolean;
  /** Size of an object, or `undefined` if there is none. */
  stat(key: StorageKey, options?: StorageOptions): Promise<StorageStat | undefined>;
  /**
   * Up to `range.length` bytes from `range.offset`: fewer where the object ends, none behind its end, `undefined` if there is no object.
   * The caller bounds the length by what it is ready to hold, and the answer is its own: nobody else uses that memory.
   */
  get(key: StorageKey, range: ByteRange, options?: GetOptions): Promise<Buffer | undefined>;
  /**
   * Keeps an object, whole or not at all; when this returns, it is durable (if the place is) and replaces any object of this key. With `ifAbsent`
   * an object that is there already stays, also if both writers come at once, and the answer is `exists`. If the body throws, nothing is kept.
   */
  put(key: StorageKey, body: Body, options?: PutOptions): Promise<'stored' | 'exists'>;
  /** Every object whose key is `prefix` or lies below it as a directory, sorted by key; `''` for all. Only where the place can. */
  list?(prefix: StorageKey | '', options?: StorageOptions): AsyncIterable<ListedObject>;
  /** Deletes an object; one that is not there is no error. Only where the place can. */
  delete?(key: StorageKey, options?: StorageOptions): Promise<void>;
  /** Deletes the parts of an object that was begun ({@link PartJournal.began}) and will not be finished; none is no error. Only where there are parts. */
  deleteParts?(key: StorageKey, id: string, options?: StorageOptions): Promise<void>;
  /**
   * Every object below a prefix that was begun and is not finished, and of which no part has come since `beforeMs`, by the clock of the place. Only where there are parts.
   */
  listUnfinished?(prefix: StorageKey, beforeMs: number, options?: StorageOptions): AsyncIterable<UnfinishedObject>;
  /**
   * Lets others see what was put. Only where that is not so at once: a place that gathers what is put, because each upload is dear. Who has put all that
   * belongs together calls it; what was put and not flushed is lost with the process.
   */
  flush?(options?: FlushOptions): Promise<void>;
}

/** Options of every call. An aborted call throws `ERR_INTERRUPTED`. */
export interface StorageOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Storage.get}. */
export interface GetOptions extends StorageOptions {
  /** Gives memory of so many bytes for an answer, whatever is in it. A place that has its answer in memory anyway does not ask. */
  readonly allocate?: ((bytes: number) => Buffer) | undefined;
}

/** Options of {@link Storage.flush}. */
export interface FlushOptions extends StorageOptions {
  /** It may be left for later where one was made a short while ago: the caller makes sure that another one comes. */
  readonly mayWait?: boolean;
}

/** Options of {@link Storage.put}. */
export interface PutOptions extends StorageOptions {
  readonly ifAbsent?: boolean;
  /** Lets a large object go on where an earlier put of the same key ended. A place that knows no parts takes no notice. */
  readonly journal?: PartJournal | undefined;
}

/**
 * Notes on one object that goes in parts, kept by the caller. With them the parts stay where they are when the remote fails or the call is aborted, and the next put
 * sends only those that are missing or differ.
 */
export interface PartJournal {
  /** What an earlier put has left. */
  readonly left: PartsLeft | undefined;
  /** The place has begun an object and calls it `id`. What was noted before is void. */
  began(id: string, partBytes: number): void;
  /** A part is there. */
  kept(part: KeptPart): void;
  /** The object is there, or its parts are gone. */
  ended(): void;
}

/** An object that was begun, and its parts. */
export interface PartsLeft {
  readonly id: string;
  /** Length of each part but the last. */
  readonly partBytes: number;
  /** By number, from 1. */
  readonly parts: ReadonlyMap<number, KeptPart>;
}

/** A part that is there; `tag` is what the place calls its bytes, `sha256` is theirs in hex. */
export interface KeptPart {
  readonly number: number;
  readonly tag: string;
  readonly sha256: string;
}

/** What is known of an object without its bytes. */
export interface StorageStat {
  readonly bytes: number;
}

/** One object of a listing. `modifiedMs` is by the clock of the place. */
export interface ListedObject extends StorageStat {
  readonly key: StorageKey;
  readonly modifiedMs: number;
}

/** An object that was begun: `bytes` of it are there, the last since `modifiedMs`. */
export interface UnfinishedObject extends ListedObject {
  /** What the place calls it, for {@link Storage.deleteParts}. */
  readonly id: string;
}

/** A part of an object. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What is to be kept. Who tries again asks for the chunks again, so they must be the same each time; none may change before the put has ended. */
export interface Body {
  /** Sum of the lengths of the chunks. */
  readonly bytes: number;
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Takes back a chunk that nobody looks at any more, also not to try again: its memory may then be used for others. Nobody has to call it. */
  readonly release?: ((chunk: Buffer) => void) | undefined;
}

/** A body of buffers in memory. */
export function bodyOf(...chunks: readonly Buffer[]): Body {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return { bytes, chunks: () => chunks };
}

declare const storageKeyBrand: unique symbol;

/** The name of an object: segments of `a-z 0-9 . _ -` between slashes, none of which begins with a dot. Made only by {@link storageKey}. */
export type StorageKey = string & { readonly [storageKeyBrand]: true };

const KEY = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/;
const LONGEST_KEY = 512;

/** Parses a key; `undefined` for anything that a file system could misunderstand. */
export function tryParseStorageKey(text: string): StorageKey | undefined {
  return text.length <= LONGEST_KEY && KEY.test(text) ? (text as StorageKey) : undefined;
}

/** The key of text that this program made. Throws a `TypeError` if it is none, which is a bug. */
export function storageKey(text: string): StorageKey {
  const key = tryParseStorageKey(text);
  if (key === undefined) throw new TypeError(`not a storage key: ${JSON.stringify(text)}`);
  return key;
}
