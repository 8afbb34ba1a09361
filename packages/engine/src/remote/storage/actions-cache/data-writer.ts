import { randomBytes } from 'node:crypto';
import { SluiceError, throwIfAborted } from '../../../errors.js';
import type { Body } from '../port.js';
import { slots } from '../slots.js';
import { down } from './cache-errors.js';
import { dataKey } from './cache-keys.js';
import type { CacheService, EntryUpload } from './cache-service.js';

/** How data is gathered. */
export interface DataLimits {
  /** One block is filled while some are on their way; so many bytes each. */
  readonly blockBytes: number;
  readonly blocksInFlight: number;
  /** An entry of this size is finished, and the next one is begun. */
  readonly entryBytes: number;
  /** An entry that got nothing for so long is finished: the URL that takes its bytes does not live long. */
  readonly idleMs: number;
  /** A job that writes more than this takes away what it has written itself. */
  readonly mostBytes: number;
}

/** An entry with data. Its name, 32 hex digits, may change until it is finished. */
export interface DataEntry {
  readonly name: string;
}

/** Where bytes lie. */
export interface DataPlace {
  readonly entry: DataEntry;
  readonly offset: number;
}

/** An entry that is being filled. */
interface OpenEntry {
  name: string;
  upload: EntryUpload | undefined;
  block: Buffer;
  fill: number;
  /** Blocks that were sent or are on their way, and their bytes. */
  blocks: number;
  sentBytes: number;
  /** Finishing it was begun, and then aborted: it may be finished, and takes no more bytes. */
  sealed: boolean;
  readonly sending: Set<Promise<void>>;
  failure: { readonly error: unknown } | undefined;
}

const NAME_BYTES = 16;
const MOST_NAMES = 3;

/**
 * Gathers the bytes of many objects in few entries: they are sent in blocks while the job goes on, and an entry is finished when it is large, when nothing came for a while, or when it is asked
 * for. `lost` is told when an entry cannot be finished: then all objects in it are lost.
 */
export class DataWriter {
  private readonly service: CacheService;
  private readonly place: string;
  private readonly limits: DataLimits;
  private readonly lost: (error: unknown) => void;
  private readonly turn = slots(1);
  private readonly spare: Buffer[] = [];
  private entry: OpenEntry | undefined;
  private written = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(service: CacheService, place: string, limits: DataLimits, lost: (error: unknown) => void) {
    this.service = service;
    this.place = place;
    this.limits = limits;
    this.lost = lost;
  }

  /** Whether an entry is not finished yet, so that nobody can read it. */
  isOpen(entry: DataEntry): boolean {
    return this.entry === entry;
  }

  /** Takes a copy of all bytes of a body. If it fails or is aborted, what it gave is in nobody's way. */
  append(body: Body, signal: AbortSignal | undefined): Promise<DataPlace> {
    return this.turn.hold(1, signal, () =>
      this.guarded(async () => {
        if (this.written + body.bytes > this.limits.mostBytes) throw tooMuch(this.place, this.limits.mostBytes);
        if (this.entry?.sealed === true) await this.finish(signal);
        const entry = this.entry ?? this.begin();
        const offset = sizeOf(entry);
        await this.take(entry, body, signal);
        this.written += body.bytes;
        if (sizeOf(entry) >= this.limits.entryBytes) await this.finish(signal);
        return { entry, offset };
      }),
    );
  }

  /** Finishes the open entry, and runs `then` before anything is appended again. */
  close<T>(signal: AbortSignal | undefined, then: () => T): Promise<T> {
    return this.turn.hold(1, signal, () =>
      this.guarded(async () => {
        await this.finish(signal);
        this.spare.length = 0;
        return then();
      }),
    );
  }

  /** A failure of the service costs the entry; a failure of a body, or an abort, does not. */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.timer);
    try {
      return await work();
    } catch (error) {
      if (error === this.entry?.failure?.error) {
        this.entry = undefined;
        this.lost(error);
      }
      throw error;
    } finally {
      if (this.entry !== undefined) this.timer = setTimeout(() => this.closeIdle(), this.limits.idleMs).unref();
    }
  }

  private closeIdle(): void {
    if (this.entry?.upload === undefined) return;
    // Whoever lost something by this is told by `lost`.
    this.close(undefined, () => {}).catch(() => {});
  }

  private begin(): OpenEntry {
    this.entry = {
      name: newName(),
      upload: undefined,
      block: this.newBlock(),
      fill: 0,
      blocks: 0,
      sentBytes: 0,
      sealed: false,
      sending: new Set(),
      failure: undefined,
    };
    return this.entry;
  }

  private async take(entry: OpenEntry, body: Body, signal: AbortSignal | undefined): Promise<void> {
    const before = { blocks: entry.blocks, fill: entry.fill };
    let bytes = 0;
    try {
      for await (const chunk of body.chunks()) {
        throwIfAborted(signal);
        bytes += chunk.length;
        if (bytes > body.bytes) break;
        for (let at = 0; at < chunk.length; ) {
          const copied = chunk.copy(entry.block, entry.fill, at);
          at += copied;
          entry.fill += copied;
          if (entry.fill === entry.block.length) await this.sendBlock(entry, signal);
        }
      }
      throwIfAborted(signal);
      if (bytes !== body.bytes) throw new RangeError(`a body of ${body.bytes} bytes gave ${bytes}`);
    } catch (error) {
      if (entry.blocks === before.blocks) entry.fill = before.fill;
      throw error;
    }
  }

  private async sendBlock(entry: OpenEntry, signal: AbortSignal | undefined): Promise<void> {
    const upload = entry.upload ?? (await this.open(entry, signal));
    while (entry.sending.size >= this.limits.blocksInFlight) await Promise.race(entry.sending);
    if (entry.failure !== undefined) throw entry.failure.error;
    const { block, blocks, sentBytes, fill } = entry;
    // Not the caller's signal: the block holds objects of others too.
    const sent = upload
      .block(blocks, sentBytes, block.subarray(0, fill), undefined)
      .catch((error: unknown) => {
        entry.failure ??= { error };
      })
      .finally(() => {
        this.spare.push(block);
        entry.sending.delete(sent);
      });
    entry.sending.add(sent);
    entry.block = this.newBlock();
    entry.blocks++;
    entry.sentBytes += fill;
    entry.fill = 0;
  }

  private newBlock(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(this.limits.blockBytes);
  }

  private async finish(signal: AbortSignal | undefined): Promise<void> {
    const { entry } = this;
    if (entry === undefined) return;
    if (sizeOf(entry) > 0 && !(entry.sealed && (await this.isThere(entry, signal)))) {
      entry.sealed = true;
      await this.orFail(entry, signal, () => this.send(entry, signal));
    }
    this.spare.push(entry.block);
    this.entry = undefined;
  }

  /** Sends what is left of an entry, and finishes it. */
  private async send(entry: OpenEntry, signal: AbortSignal | undefined): Promise<void> {
    if (entry.blocks === 0) {
      const upload = await this.open(entry, signal);
      return await upload.whole(entry.block.subarray(0, entry.fill), signal);
    }
    if (entry.fill > 0) await this.sendBlock(entry, signal);
    await Promise.all(entry.sending);
    if (entry.failure !== undefined) throw entry.failure.error;
    await entry.upload?.finish(entry.blocks, entry.sentBytes, signal);
  }

  private async isThere(entry: OpenEntry, signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.service.find(dataKey(entry.name), 'exact', signal)) !== undefined;
  }

  /** Reserves a key. One that is taken although its name is random was reserved by a request whose answer was lost. */
  private open(entry: OpenEntry, signal: AbortSignal | undefined): Promise<EntryUpload> {
    return this.orFail(entry, signal, async () => {
      for (let names = 0; names < MOST_NAMES; names++) {
        const upload = await this.service.create(dataKey(entry.name), signal);
        if (upload !== 'exists') {
          entry.upload = upload;
          return upload;
        }
        entry.name = newName();
      }
      throw down(this.place, 'reserves no new entry');
    });
  }

  private async orFail<T>(entry: OpenEntry, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // After an abort the same may be tried again.
      if (signal?.aborted !== true) entry.failure = { error };
      throw error;
    }
  }
}

function sizeOf({ sentBytes, fill }: OpenEntry): number {
  return sentBytes + fill;
}

function newName(): string {
  return randomBytes(NAME_BYTES).toString('hex');
}

function tooMuch(place: string, mostBytes: number): SluiceError {
  const gib = Math.round(mostBytes / 2 ** 30);
  return new SluiceError('ERR_DISK_FULL', `${place} takes no more than ${gib} GiB from one job`, {
    hint: 'The cache of a repository holds 10 GB for everything: keep data of this size in a bucket.',
  });
}
