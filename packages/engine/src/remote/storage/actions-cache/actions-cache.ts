import { throwIfAborted } from '../../../errors.js';
import type { CountingStorage, RequestCounts } from '../counting.js';
import {
  type Body,
  type ByteRange,
  bodyOf,
  type FlushOptions,
  type PutOptions,
  type StorageKey,
  type StorageOptions,
  type StorageStat,
} from '../port.js';
import type { RetryOptions } from '../retry.js';
import { slots } from '../slots.js';
import { type CacheAccess, scopeName } from './cache-access.js';
import { deniedToRead, deniedToWrite } from './cache-denials.js';
import { down } from './cache-errors.js';
import type { CacheIndex, CacheRow } from './cache-index.js';
import { dataKey } from './cache-keys.js';
import { type CacheService, rememberDenials } from './cache-service.js';
import { type DataEntry, type DataLimits, DataWriter } from './data-writer.js';
import { IndexChain } from './index-chain.js';
import { type IndexLimits, mergeIndex } from './merge-index.js';
import { paced } from './pace.js';

/** How a cache service is used as a storage. */
export interface ActionsCacheOptions {
  readonly description: string;
  readonly service: CacheService;
  /** Requests so far; the service counts them. */
  readonly requests: RequestCounts;
  readonly access: CacheAccess;
  /** Whether the scope of this job may say something about a key. What another scope says of it counts then. */
  readonly isOwn: (key: StorageKey) => boolean;
  readonly limits: ActionsCacheLimits;
  readonly wait: Pick<RetryOptions, 'sleep' | 'random'>;
}

/** What goes where, and how much of it. */
export interface ActionsCacheLimits extends DataLimits, IndexLimits {
  /** An object of at most so many bytes lies in the index. */
  readonly smallBytes: number;
  /** Entries that one job writes in a minute. */
  readonly uploadsPerMinute: number;
  /** A flush that may wait is left for later within this time after the last one. It doubles each time: a job that pushes all day makes some ten. */
  readonly flushGapMs: number;
  readonly longestFlushGapMs: number;
}

/** An object that was put and that no index names yet. */
interface Pending {
  readonly bytes: number;
  readonly ifAbsent: boolean;
  readonly place: { readonly data: Buffer } | { readonly entry: DataEntry; readonly offset: number };
}

/** Where an object was found. */
type Located =
  | { readonly kind: 'memory'; readonly data: Buffer }
  | { readonly kind: 'data'; readonly bytes: number; readonly entry: DataEntry; readonly offset: number };

/**
 * The cache of GitHub Actions as a storage. Small objects lie in an index, which is one entry and is read whole with the first question; larger ones are gathered in entries with data. What is put is
 * seen by this job at once and by others after `flush`. An entry that was evicted is a miss for all that lay in it. Nothing can be listed or deleted, and nothing here is durable.
 */
export function actionsCacheStorage(
  options: ActionsCacheOptions,
): CountingStorage & { flush(call?: FlushOptions): Promise<void> } {
  const cache = new ActionsCache(options);
  return {
    description: options.description,
    durable: false,
    requests: options.requests,
    stat: (key, call) => cache.stat(key, call),
    get: (key, range, call) => cache.get(key, range, call),
    put: (key, body, call) => cache.put(key, body, call),
    flush: (call) => cache.flush(call),
  };
}

class ActionsCache {
  private readonly options: ActionsCacheOptions;
  private readonly service: CacheService;
  /** The own scope's first. */
  private readonly chains: readonly IndexChain[];
  private readonly writer: DataWriter;
  private readonly publishing = slots(1);
  private pending = new Map<StorageKey, Pending>();
  private pendingInline = 0;
  private flushFromMs = 0;
  private flushGapMs: number;
  private failure: { readonly error: unknown } | undefined;
  private readonly used = new Set<StorageKey>();
  /** URLs of entries with data, by name; those without one are gone. */
  private readonly urls = new Map<string, Promise<string | undefined>>();
  private readonly lost = new Set<string>();

  constructor(options: ActionsCacheOptions) {
    const { access, description: place, wait, limits } = options;
    this.options = options;
    this.flushGapMs = limits.flushGapMs;
    this.service = paced(rememberDenials(options.service), limits.uploadsPerMinute, wait);
    const { service } = this;
    this.chains = access.scopes.map((scope) => new IndexChain({ service, scope: scopeName(scope), place, wait }));
    this.writer = new DataWriter(service, place, limits, (error) => this.forget(error));
  }

  async stat(key: StorageKey, { signal }: StorageOptions = {}): Promise<StorageStat | undefined> {
    const found = await this.locate(key, signal);
    if (found === undefined) return undefined;
    return { bytes: found.kind === 'memory' ? found.data.length : found.bytes };
  }

  async get(
    key: StorageKey,
    { offset, length }: ByteRange,
    { signal }: StorageOptions = {},
  ): Promise<Buffer | undefined> {
    for (;;) {
      const found = await this.locate(key, signal);
      if (found === undefined) return undefined;
      if (found.kind === 'memory') return Buffer.from(found.data.subarray(offset, offset + length));
      const wanted = Math.min(length, found.bytes - offset);
      if (wanted <= 0) return Buffer.alloc(0);
      if (this.writer.isOpen(found.entry)) await this.writer.close(signal, () => {});
      const bytes = await this.read(found.entry, { offset: found.offset + offset, length: wanted }, signal);
      if (bytes !== undefined) return bytes;
    }
  }

  async put(key: StorageKey, body: Body, { signal, ifAbsent = false }: PutOptions = {}): Promise<'stored' | 'exists'> {
    throwIfAborted(signal);
    const { access, description, limits } = this.options;
    if (!access.canWrite) throw deniedToWrite(description, key, access.why);
    if (ifAbsent && (await this.locate(key, signal)) !== undefined) return 'exists';
    const isSmall = body.bytes <= limits.smallBytes && this.pendingInline + body.bytes <= limits.inlineBytes;
    const place = isSmall ? { data: await gather(body, signal) } : await this.writer.append(body, signal);
    // Another put of this job may have come first meanwhile.
    if (ifAbsent && this.pending.has(key)) return 'exists';
    if (isSmall) this.pendingInline += body.bytes;
    this.pending.set(key, { bytes: body.bytes, ifAbsent, place });
    return 'stored';
  }

  /** Data first, then the index that names it. Puts that come meanwhile are for the next one. */
  flush({ signal, mayWait = false }: FlushOptions = {}): Promise<void> {
    return this.publishing.hold(1, signal, async () => {
      throwIfAborted(signal);
      if (mayWait && performance.now() < this.flushFromMs) return;
      const batch = await this.closeData(signal);
      const [own] = this.chains;
      if (batch.size === 0 || own === undefined) return;
      const moved = new Map<StorageKey, CacheRow>();
      await own.publish((latest, generation) => this.nextRows(batch, moved, latest, generation, signal), signal);
      for (const [key, put] of batch) {
        if (this.pending.get(key) !== put) continue;
        this.pending.delete(key);
        if ('data' in put.place) this.pendingInline -= put.bytes;
      }
      this.flushFromMs = performance.now() + this.flushGapMs;
      this.flushGapMs = Math.min(this.flushGapMs * 2, this.options.limits.longestFlushGapMs);
    });
  }

  /** What is whole now. Throws if something was lost since the last flush. */
  private async closeData(signal: AbortSignal | undefined): Promise<ReadonlyMap<StorageKey, Pending>> {
    // What the writer throws it has told to `forget` too, so it need not be told twice.
    const closed = await this.writer
      .close(signal, () => new Map(this.pending))
      .then(
        (batch) => ({ batch }),
        (error: unknown) => ({ error }),
      );
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure.error;
    if ('error' in closed) throw closed.error;
    return closed.batch;
  }

  /** `moved`: objects that were found to be too many for an index before, with their places. */
  private async nextRows(
    batch: ReadonlyMap<StorageKey, Pending>,
    moved: Map<StorageKey, CacheRow>,
    latest: CacheIndex,
    generation: number,
    signal: AbortSignal | undefined,
  ): Promise<Map<StorageKey, CacheRow>> {
    const added = new Map(
      [...batch].map(([key, put]) => [key, { row: rowOf(put, generation), ifAbsent: put.ifAbsent }]),
    );
    const { rows, tooMany } = mergeIndex(
      latest.rows,
      { added, used: this.used, lost: this.lost },
      generation,
      this.options.limits,
    );
    const moving: {
      readonly key: StorageKey;
      readonly row: CacheRow;
      readonly entry: DataEntry;
      readonly offset: number;
    }[] = [];
    for (const key of tooMany) {
      const row = rows.get(key);
      if (row?.place.kind !== 'inline') continue;
      const before = moved.get(key);
      if (before !== undefined && before.bytes === row.bytes) rows.set(key, { ...before, usedIn: row.usedIn });
      else moving.push({ key, row, ...(await this.writer.append(bodyOf(row.place.data), signal)) });
    }
    if (moving.length > 0) await this.writer.close(signal, () => {});
    for (const { key, row, entry, offset } of moving) {
      const settled: CacheRow = { ...row, place: { kind: 'data', name: entry.name, offset } };
      moved.set(key, settled);
      rows.set(key, settled);
    }
    return rows;
  }

  /** Where an object lies: put by this job, or named by the index of a scope and not evicted. */
  private async locate(key: StorageKey, signal: AbortSignal | undefined): Promise<Located | undefined> {
    throwIfAborted(signal);
    const { access, description, isOwn } = this.options;
    const put = this.pending.get(key);
    if (put !== undefined && 'entry' in put.place && this.lost.has(put.place.entry.name)) this.pending.delete(key);
    else if (put !== undefined) {
      return 'data' in put.place
        ? { kind: 'memory', data: put.place.data }
        : { kind: 'data', bytes: put.bytes, ...put.place };
    }
    if (!access.canRead) throw deniedToRead(description, access.why);
    for (const chain of this.chains) {
      const isOwnChain = chain === this.chains[0];
      if (isOwnChain && this.chains.length > 1 && !isOwn(key)) continue;
      const row = (await chain.current(signal)).rows.get(key);
      if (row === undefined) continue;
      if (row.place.kind === 'inline') {
        if (isOwnChain) this.used.add(key);
        return { kind: 'memory', data: row.place.data };
      }
      const { name, offset } = row.place;
      if ((await this.urlOf(name, signal)) === undefined) continue;
      if (isOwnChain) this.used.add(key);
      return { kind: 'data', bytes: row.bytes, entry: { name }, offset };
    }
    return undefined;
  }

  /** `undefined` if the entry was evicted. */
  private async read(entry: DataEntry, range: ByteRange, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
    for (let attempt = 1; ; attempt++) {
      const url = await this.urlOf(entry.name, signal);
      if (url === undefined) return undefined;
      const bytes = await this.service.read(url, range, signal);
      if (bytes === 'gone') {
        this.lose(entry.name);
        return undefined;
      }
      if (bytes === 'expired') {
        this.urls.delete(entry.name);
        if (attempt === MOST_URLS) throw down(this.options.description, 'does not give what it has just offered');
        continue;
      }
      if (bytes.length === range.length) return bytes;
      // Shorter than the index says: it is not the entry that was meant.
      this.lose(entry.name);
      return undefined;
    }
  }

  private urlOf(name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const known = this.urls.get(name);
    if (known !== undefined) return known;
    const asking = this.service.find(dataKey(name), 'exact', signal).then((found) => {
      if (found === undefined) this.lost.add(name);
      return found?.url;
    });
    this.urls.set(name, asking);
    asking.catch(() => {
      if (this.urls.get(name) === asking) this.urls.delete(name);
    });
    return asking;
  }

  private lose(name: string): void {
    this.lost.add(name);
    this.urls.set(name, Promise.resolve(undefined));
  }

  /** Data could not be sent. What was put after it may name it, so all of it is forgotten, and whoever flushes is told. */
  private forget(error: unknown): void {
    this.failure ??= { error };
    this.pending = new Map();
    this.pendingInline = 0;
  }
}

const MOST_URLS = 3;

function rowOf({ bytes, place }: Pending, generation: number): CacheRow {
  return {
    bytes,
    usedIn: generation,
    place:
      'data' in place
        ? { kind: 'inline', data: place.data }
        : { kind: 'data', name: place.entry.name, offset: place.offset },
  };
}

async function gather(body: Body, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body.chunks()) {
    throwIfAborted(signal);
    bytes += chunk.length;
    if (bytes > body.bytes) break;
    chunks.push(Buffer.from(chunk));
  }
  throwIfAborted(signal);
  if (bytes !== body.bytes) throw new RangeError(`a body of ${body.bytes} bytes gave ${bytes}`);
  return Buffer.concat(chunks);
}
