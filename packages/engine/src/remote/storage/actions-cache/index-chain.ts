import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../../errors.js';
import type { StorageKey } from '../port.js';
import { pause, type RetryOptions } from '../retry.js';
import { down } from './cache-errors.js';
import {
  type CacheIndex,
  type CacheRow,
  encodeIndex,
  INDEX_ID_BYTES,
  LARGEST_INDEX_BYTES,
  parseIndex,
} from './cache-index.js';
import { generationOf, indexKey, indexPrefix } from './cache-keys.js';
import type { CacheService, FoundEntry } from './cache-service.js';

/** What a chain works with. */
export interface IndexChainOptions {
  readonly service: CacheService;
  /** Short name of the scope. */
  readonly scope: string;
  /** Names the service in messages. */
  readonly place: string;
  readonly wait: Pick<RetryOptions, 'sleep' | 'random'>;
}

/** Makes the rows of the next index out of those of the latest. */
export type NextRows = (latest: CacheIndex, generation: number) => Promise<Map<StorageKey, CacheRow>>;

/** So often another job may be first; waits between grow to {@link LONGEST_WAIT_MS}. */
const ATTEMPTS = 40;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
/** So often a number is waited for that somebody reserved and does not finish. */
const PATIENCE = 6;
/** So far is looked behind an index that is said to be the newest. */
const MOST_AHEAD = 100;
/** So often it is looked whether the own index is seen. */
const LOOKS = 4;
/** Between the look-up that says which number is free and the end of an index that takes it, there is less than this. */
const SETTLE_MS = 1500;

/**
 * The indexes of one scope, one after another. Each holds all that the one before held, so readers need only the latest. A writer takes the next number: where the service
 * refuses a key that is taken, exactly one writer gets it, and the others take up what it wrote and try the number behind. So nothing that a job wrote is lost to another job that
 * ends at the same moment. Whoever died between reserving and finishing is passed by after some seconds.
 */
export class IndexChain {
  private readonly options: IndexChainOptions;
  private loaded: Promise<CacheIndex> | undefined;

  constructor(options: IndexChainOptions) {
    this.options = options;
  }

  /** The index as it was when it was first asked for, or as this job last wrote it. */
  current(signal: AbortSignal | undefined): Promise<CacheIndex> {
    if (this.loaded === undefined) {
      const loading = this.load(signal);
      this.loaded = loading;
      // A failure is not remembered: the next call may be luckier.
      loading.catch(() => {
        if (this.loaded === loading) this.loaded = undefined;
      });
    }
    return this.loaded;
  }

  /** Writes the next index and makes sure that others see it. Throws `ERR_REMOTE_DOWN` if that does not succeed in some minutes. */
  async publish(next: NextRows, signal: AbortSignal | undefined): Promise<void> {
    let latest = await this.refresh(signal);
    let passed = 0;
    let inVain = 0;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const generation = latest.generation + 1 + passed;
      const mine = { generation, id: randomBytes(INDEX_ID_BYTES), rows: await next(latest, generation) };
      const isWritten = await this.write(mine, signal);
      if (!isWritten) await this.backOff(attempt, signal);
      const seen = isWritten ? await this.look(mine, signal) : await this.refresh(signal);
      if (isWritten && holdsAll(seen, mine)) {
        this.loaded = Promise.resolve(seen);
        return;
      }
      if (seen.generation > latest.generation) {
        latest = seen;
        passed = 0;
        inVain = 0;
      } else if (++inVain === PATIENCE) {
        passed++;
        inVain = 0;
      }
    }
    throw down(this.options.place, 'is written by too many jobs at once', { silent: true });
  }

  /** Whether the key was free. */
  private async write(index: CacheIndex, signal: AbortSignal | undefined): Promise<boolean> {
    const { service, scope, place } = this.options;
    const key = indexKey(scope, index.generation);
    if (key === undefined) throw down(place, 'has an index with the last number there is', { silent: true });
    const bytes = encodeIndex(index);
    if (bytes.length > LARGEST_INDEX_BYTES) throw new SluiceError('ERR_DISK_FULL', `the index of ${place} is full`);
    const upload = await service.create(key, signal);
    if (upload === 'exists') return false;
    await upload.whole(bytes, signal);
    return true;
  }

  /** What others see after the own index was written: it, or one that came behind it or took its place. */
  private async look(mine: CacheIndex, signal: AbortSignal | undefined): Promise<CacheIndex> {
    const { service, wait } = this.options;
    let settled = service.arbitrates;
    for (let look = 1; look <= LOOKS; look++) {
      const found = await this.newest(signal);
      if (found === undefined || found.generation < mine.generation) {
        await this.backOff(look, signal);
        continue;
      }
      // A service that arbitrates gave the number to nobody else.
      const isMine = found.generation === mine.generation && service.arbitrates;
      const seen = isMine ? mine : await this.read(found, signal);
      if (settled || !seen.id.equals(mine.id)) return seen;
      // Who took the same number a moment ago may still finish, and be seen instead.
      settled = true;
      await pause(wait, SETTLE_MS, signal);
    }
    return mine;
  }

  private async load(signal: AbortSignal | undefined): Promise<CacheIndex> {
    const found = await this.newest(signal);
    return found === undefined ? emptyIndex(0) : await this.read(found, signal);
  }

  /** The latest index; it is not read again if it is the one that is known. */
  private async refresh(signal: AbortSignal | undefined): Promise<CacheIndex> {
    const known = await this.loaded;
    const found = await this.newest(signal);
    if (found === undefined) return known ?? emptyIndex(0);
    const isKnown = this.options.service.arbitrates && found.generation === known?.generation;
    return isKnown ? known : await this.read(found, signal);
  }

  private async newest(signal: AbortSignal | undefined): Promise<Found | undefined> {
    const { service, scope } = this.options;
    const found = await service.find(indexPrefix(scope), 'newest', signal);
    const generation = found === undefined ? undefined : generationOf(scope, found.key);
    if (found === undefined || generation === undefined) return undefined;
    let latest: Found = { ...found, generation };
    // Two entries of one second look equally new to some.
    for (let ahead = 0; !service.arbitrates && ahead < MOST_AHEAD; ahead++) {
      const key = indexKey(scope, latest.generation + 1);
      const behind = key === undefined ? undefined : await service.find(key, 'exact', signal);
      if (behind === undefined) break;
      latest = { ...behind, generation: latest.generation + 1 };
    }
    return latest;
  }

  /** One that was evicted meanwhile, or is damaged, counts as empty, but its number is taken. */
  private async read({ url, generation }: Found, signal: AbortSignal | undefined): Promise<CacheIndex> {
    const { service, place } = this.options;
    const bytes = await service.read(url, { offset: 0, length: LARGEST_INDEX_BYTES + 1 }, signal);
    if (bytes === 'expired') throw down(place, 'does not give what it has just offered');
    if (bytes === 'gone' || bytes.length > LARGEST_INDEX_BYTES) return emptyIndex(generation);
    const parsed = parseIndex(bytes, place);
    return parsed === 'damaged' || parsed.generation !== generation ? emptyIndex(generation) : parsed;
  }

  private async backOff(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const { wait } = this.options;
    const due = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    await pause(wait, due * (0.25 + 0.75 * wait.random()), signal);
  }
}

type Found = FoundEntry & { readonly generation: number };

function emptyIndex(generation: number): CacheIndex {
  return { generation, id: Buffer.alloc(INDEX_ID_BYTES), rows: new Map() };
}

/** Whether nothing of an index is missed in a later one. What was replaced or left out for want of space is not missed. */
function holdsAll(later: CacheIndex, mine: CacheIndex): boolean {
  if (later === mine || later.id.equals(mine.id)) return true;
  for (const [key, { usedIn }] of mine.rows) if (usedIn === mine.generation && !later.rows.has(key)) return false;
  return true;
}
