import { setImmediate as turn } from 'node:timers/promises';
import { SluiceError, throwIfAborted } from '../../errors.js';
import { DigestTable } from '../../model/digest-table.js';
import { BLOB, BLOBS, TREES } from '../../model/pack.js';
import type { LoadedPack } from '../catalog.js';
import { checkLoose } from '../loose.js';
import { PackWriter } from '../pack-writer.js';
import type { Store } from '../store.js';
import type { Claims } from './claims.js';
import { type EarlierPlaces, LOOSE_PLACE } from './earlier-place.js';
import { type Inventory, kindIn } from './inventory.js';
import { DEAD } from './mark.js';

/** What came of rewriting. */
export interface Rewritten {
  /** Names of the packs whose live objects all lie elsewhere now, sound and durable. */
  readonly emptied: readonly string[];
  /** Why the others stay. */
  readonly problems: readonly SluiceError[];
  /** Bytes that were copied. */
  readonly bytes: number;
}

/** What is known about the objects of the packs that go. */
export interface RewriteInput {
  readonly inventory: Inventory;
  /** Names of the packs that go. */
  readonly going: ReadonlySet<string>;
  readonly homes: EarlierPlaces;
  readonly claims: Claims;
}

/** Between two looks at the signal. */
const BYTES_PER_TURN = 16 * 1024 * 1024;

/**
 * Copies the live objects of packs into new packs, which are published and durable when this returns. Every byte is checked on the
 * way. A redundant object is not copied if its home stays and is sound. A pack stays as it is if a live object of it is sound nowhere.
 */
export async function rewritePacks(store: Store, input: RewriteInput, signal?: AbortSignal): Promise<Rewritten> {
  if (input.going.size === 0) return { emptied: [], problems: [], bytes: 0 };
  return store.write(async (session) => {
    const { tmpDir } = session.lease;
    const copier = new PackCopier(store, input, tmpDir);
    const emptied: string[] = [];
    const problems: SluiceError[] = [];
    try {
      for (const [number, pack] of input.inventory.packs.entries()) {
        if (!input.going.has(pack.name)) continue;
        const problem = await copier.copyLive(pack, number, signal);
        if (problem === undefined) emptied.push(pack.name);
        else problems.push(problem);
      }
      session.publish([{ packs: copier.finish(), loose: [] }]);
    } catch (error) {
      copier.abandon();
      throw error;
    }
    store.reader.catalog.refresh();
    return { emptied, problems, bytes: copier.bytes };
  });
}

class PackCopier {
  bytes = 0;
  private readonly store: Store;
  private readonly input: RewriteInput;
  private readonly blobs: PackWriter;
  private readonly trees: PackWriter;
  private readonly written = { blob: new DigestTable(), tree: new DigestTable() };
  private sinceTurn = 0;

  constructor(store: Store, input: RewriteInput, tmpDir: string) {
    this.store = store;
    this.input = input;
    this.blobs = new PackWriter(store.files, store.durability, tmpDir, BLOBS);
    this.trees = new PackWriter(store.files, store.durability, tmpDir, TREES);
  }

  /** Returns why the pack cannot be emptied, if so. */
  async copyLive(pack: LoadedPack, number: number, signal: AbortSignal | undefined): Promise<SluiceError | undefined> {
    for (const row of liveRows(pack, this.input.claims.packs[number])) {
      try {
        this.copyRow(pack, number, row);
      } catch (error) {
        if (error instanceof SluiceError) return error;
        throw error;
      }
      if (this.sinceTurn < BYTES_PER_TURN) continue;
      this.sinceTurn = 0;
      await turn();
      throwIfAborted(signal);
    }
    return undefined;
  }

  finish(): ReturnType<PackWriter['finish']> {
    return [...this.blobs.finish(), ...this.trees.finish()];
  }

  abandon(): void {
    this.blobs.abandon();
    this.trees.abandon();
  }

  private copyRow(pack: LoadedPack, number: number, row: number): void {
    const entry = pack.index.entry(row);
    const raw = pack.index.raw(row);
    const kind = kindIn(pack);
    this.sinceTurn += entry.stored;
    if (this.written[kind].has(raw) || this.isSoundAtHome(number, raw, kind)) return;
    // Damaged here: any other copy will do, or the error says that there is none.
    const bytes = this.store.reader.readCopy({ home: 'pack', pack, entry }, raw) ?? this.store.reader.read(kind, raw);
    const writer = entry.kind === BLOB ? this.blobs : this.trees;
    bytes.copy(writer.space(bytes.length));
    writer.append(entry.kind, bytes.length, raw, 0);
    this.written[kind].set(raw);
    this.bytes += bytes.length;
  }

  private isSoundAtHome(number: number, raw: Buffer, kind: 'blob' | 'tree'): boolean {
    const { homes, going, inventory } = this.input;
    const place = homes.before(number, kind, () => raw);
    if (place === undefined) return false;
    const { files, layout, reader } = this.store;
    if (place === LOOSE_PLACE) {
      for (const copy of reader.catalog.places(kind, raw)) {
        if (copy.home === 'loose') return checkLoose(files, layout, kind, raw, copy);
      }
      return false;
    }
    const home = inventory.packs[place];
    if (home === undefined || going.has(home.name)) return false;
    const row = home.index.find(raw);
    return row >= 0 && reader.readCopy({ home: 'pack', pack: home, entry: home.index.entry(row) }, raw) !== undefined;
  }
}

/** Live rows in the order of their bytes, so that reading goes forward. */
function liveRows({ index }: LoadedPack, claims: Uint8Array | undefined): number[] {
  const rows: { row: number; offset: number }[] = [];
  claims?.forEach((claim, row) => {
    if (claim !== DEAD) rows.push({ row, offset: index.entry(row).offset });
  });
  return rows.sort((a, b) => a.offset - b.offset).map(({ row }) => row);
}
