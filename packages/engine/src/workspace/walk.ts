import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { errnoOf, SluiceError, throwIfAborted } from '../errors.js';
import { sortUtf8 } from '../model/path.js';
import { MAX_DEPTH, TREE } from '../model/tree.js';
import type { Bulk, BulkLane } from './bulk.js';
import { type SeenDirectory, type Snapshot, seenDirectory } from './snapshot.js';
import { type StatBatch, statEntries, unreadable, vanished, writeEntry } from './stat-entries.js';

/** Says whether an entry below the walked root is left out; `isDirectory` as gitignore patterns need it. */
export type IgnoreFilter = (path: string, isDirectory: boolean) => boolean;

/** How a path is walked. */
export interface WalkOptions {
  /** Asked for once, and only if there is a directory to walk. */
  readonly ignore?: (() => IgnoreFilter | undefined) | undefined;
  /** `true` for deps: a link at the root itself stands for what it points to. An out may not be a link. */
  readonly followRoot: boolean;
  /** Helps with large directories. */
  readonly bulk?: Bulk | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Entries that are looked at in one go: about a millisecond of work. */
const BATCH_ENTRIES = 256;
/** Batches that wait in a worker, so that it never idles while an answer travels. */
const AHEAD = 2;

/**
 * Looks at everything below `path` (absolute) without reading any file. Returns `undefined` if there is nothing.
 * Throws `ERR_FILE_UNREADABLE`, `ERR_FILE_KIND` for sockets, pipes and devices, `ERR_FILE_NAME` for names that are not UTF-8,
 * and `ERR_FILE_CHANGED` if entries come and go while it looks.
 */
export async function walk(path: string, options: WalkOptions): Promise<Snapshot | undefined> {
  const stat = rootStat(path, options.followRoot);
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return { shape: 'directory', directories: await new DirectoryWalk(path, options).run() };
  if (stat.isSymbolicLink()) {
    throw new SluiceError(
      'ERR_FILE_KIND',
      `${path} is a symbolic link; an out has to be a file or a directory itself`,
      {
        hint: 'Replace the link by what it points to, or declare the path that it points to.',
      },
    );
  }
  const seen = seenDirectory('', [path.slice(path.lastIndexOf('/') + 1)]);
  writeEntry(seen, 0, stat, path);
  return { shape: 'file', directories: [seen] };
}

/** A directory with the subdirectories that were found in it, by their index among its entries. */
interface WalkedDirectory {
  readonly seen: SeenDirectory;
  readonly depth: number;
  readonly below: Map<number, WalkedDirectory>;
}

interface Batch extends StatBatch {
  readonly of: WalkedDirectory;
  readonly from: number;
}

/** This thread lists directories and looks at entries; when there are many, workers look at entries too. */
class DirectoryWalk {
  private readonly root: string;
  private readonly options: WalkOptions;
  private readonly ignore: IgnoreFilter | undefined;
  private readonly batches: Batch[] = [];
  private readonly asked = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;
  private entries = 0;

  constructor(root: string, options: WalkOptions) {
    this.root = root;
    this.options = options;
    this.ignore = options.ignore?.();
  }

  /** All directories, depth first, parents before children, in the order of names. */
  async run(): Promise<SeenDirectory[]> {
    const top = this.open('', 0);
    while (this.batches.length > 0 || this.asked.size > 0) {
      throwIfAborted(this.options.signal);
      this.askForHelp();
      const batch = this.batches.pop();
      if (batch === undefined) await Promise.race(this.asked);
      else {
        statEntries(batch, batch.of.seen, batch.from);
        this.descend(batch);
      }
      // Answers of workers arrive between two batches.
      if (this.asked.size > 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.failure !== undefined) throw this.failure.error;
    }
    return [...inOrder(top)];
  }

  private open(below: string, depth: number): WalkedDirectory {
    const directory = below === '' ? this.root : `${this.root}/${below}`;
    if (depth > MAX_DEPTH)
      throw new SluiceError('ERR_FILE_NAME', `${directory} is nested deeper than ${MAX_DEPTH} directories`);
    const { ignore } = this;
    const names = ignore === undefined ? listDirectory(directory) : listKept(directory, below, ignore);
    const of: WalkedDirectory = { seen: seenDirectory(below, names), depth, below: new Map() };
    this.entries += names.length;
    for (let from = 0; from < names.length; from += BATCH_ENTRIES) {
      this.batches.push({ directory, names: names.slice(from, from + BATCH_ENTRIES), of, from });
    }
    return of;
  }

  private askForHelp(): void {
    // With few batches left each would wait longer for its answer than it takes here.
    for (const lane of this.batches.length > AHEAD ? this.helpers() : []) {
      while (lane.asked < AHEAD && this.batches.length > 1) this.ask(lane);
    }
  }

  private lanes: { readonly lane: BulkLane; asked: number }[] = [];

  private helpers(): typeof this.lanes {
    if (this.lanes.length === 0 && this.options.bulk !== undefined) {
      this.lanes = this.options.bulk.helpers(this.entries).map((lane) => ({ lane, asked: 0 }));
    }
    return this.lanes;
  }

  private ask(helper: { readonly lane: BulkLane; asked: number }): void {
    const batch = this.batches.pop();
    if (batch === undefined) return;
    helper.asked++;
    const { directory, names, of, from } = batch;
    const asked: Promise<void> = helper.lane
      .ask({ do: 'stat', batch: { directory, names } })
      .then((columns) => {
        of.seen.kinds.set(columns.kinds, from);
        of.seen.sizes.set(columns.sizes, from);
        of.seen.mtimes.set(columns.mtimes, from);
        of.seen.ctimes.set(columns.ctimes, from);
        of.seen.inodes.set(columns.inodes, from);
        this.descend(batch);
      })
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        helper.asked--;
        this.asked.delete(asked);
      });
    this.asked.add(asked);
  }

  private descend({ of, from, names }: Batch): void {
    const { seen, depth, below } = of;
    for (let entry = from; entry < from + names.length; entry++) {
      if (seen.kinds[entry] !== TREE) continue;
      const name = seen.names[entry] ?? '';
      below.set(entry, this.open(seen.path === '' ? name : `${seen.path}/${name}`, depth + 1));
    }
  }
}

function* inOrder({ seen, below }: WalkedDirectory): Generator<SeenDirectory> {
  yield seen;
  for (const [, directory] of [...below].sort(([a], [b]) => a - b)) yield* inOrder(directory);
}

function rootStat(path: string, follow: boolean): Stats | undefined {
  try {
    return (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, error);
  }
}

function listDirectory(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? vanished(path) : unreadable(path, error);
  }
  // Bytes that are not UTF-8 arrive as U+FFFD; only then is it worth listing again to tell them from a real one.
  if (names.some((name) => name.includes('\ufffd'))) refuseForeignNames(path);
  return sortUtf8(names);
}

function refuseForeignNames(path: string): void {
  for (const raw of readdirSync(path, { encoding: 'buffer' })) {
    if (Buffer.from(raw.toString('utf8')).equals(raw)) continue;
    throw new SluiceError(
      'ERR_FILE_NAME',
      `${path} holds a name that is not UTF-8: ${JSON.stringify(raw.toString('latin1'))} (as Latin-1)`,
      {
        hint: 'Rename the file; a name has to be UTF-8 to be the same on every machine.',
      },
    );
  }
}

function listKept(path: string, below: string, ignore: IgnoreFilter): string[] {
  const directories = new Set<string>();
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) directories.add(entry.name);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? vanished(path) : unreadable(path, error);
  }
  return listDirectory(path).filter((name) => !ignore(below === '' ? name : `${below}/${name}`, directories.has(name)));
}
