import type { ErrorWire } from '../errors.js';
import { copyRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { throwProblems } from '../util/problems.js';
import type { Advance, BeginProgress } from '../util/progress.js';
import { BATCH_BYTES, BATCH_FILES, type Bulk, deal, type Job } from './bulk.js';
import type { LinkKind, PlaceBatch, PlaceResult } from './place-batch.js';
import { type Change, isLink } from './plan-placement.js';
import { entryPath } from './snapshot.js';
import type { ThreadRequest } from './thread.js';

/** How files are placed. */
export interface PlaceContext {
  readonly bulk: Bulk;
  readonly storeDir: string;
  readonly how: readonly LinkKind[];
  readonly readOnly: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly beginProgress?: BeginProgress | undefined;
}

type PlaceRequest = Extract<ThreadRequest, { readonly do: 'place' }>;

/**
 * Makes files below `base` from the store and fills in their stats. `nameOf` gives each file's path below the base; `''` as base means that
 * names are absolute. Their directories exist. Links come last. Throws the problems of all files as one error, with the code of the first.
 */
export async function placeFiles(
  base: string,
  files: readonly Change[],
  nameOf: (file: Change, position: number) => string,
  context: PlaceContext,
): Promise<void> {
  const problems: ErrorWire[] = [];
  const plain = files.filter((file) => !isLink(file));
  const links = files.filter(isLink);
  const advance = files.length === 0 ? undefined : context.beginProgress?.(files.length, bytesOf(files));
  for (const group of [plain, links]) {
    if (group.length === 0 || problems.length > 0) continue;
    const lanes = context.bulk.lanes(group.length, bytesOf(group));
    try {
      await deal(lanes, placeJobs(base, group, nameOf, context, problems, advance), context.signal);
    } finally {
      // A failure of this one must not hide the one of the work.
      await Promise.allSettled(lanes.map((lane) => lane.ask({ do: 'end-place' })));
    }
  }
  throwProblems(problems);
}

/** The usual names: the paths of the snapshot. */
export function snapshotPath({ directory, entry }: Change): string {
  return entryPath(directory, entry);
}

function* placeJobs(
  base: string,
  files: readonly Change[],
  nameOf: (file: Change, position: number) => string,
  context: PlaceContext,
  problems: ErrorWire[],
  advance: Advance | undefined,
): Generator<Job<PlaceRequest>> {
  for (let from = 0; from < files.length; ) {
    let to = from;
    for (let bytes = 0; to < files.length && to - from < BATCH_FILES && bytes < BATCH_BYTES; to++) {
      const file = files[to];
      bytes += file?.directory.sizes[file.entry] ?? 0;
    }
    const part = files.slice(from, to);
    const start = from;
    const paths = part.map((file, i) => nameOf(file, start + i)).join('\0');
    const batch = toBatch(base === '' ? '' : `${base}/`, paths, part, context);
    yield {
      request: { do: 'place', storeDir: context.storeDir, batch },
      take: (answer) => {
        problems.push(...answer.problems);
        fill(part, answer, advance);
      },
    };
    from = to;
  }
}

function toBatch(base: string, paths: string, part: readonly Change[], context: PlaceContext): PlaceBatch {
  const kinds = new Uint8Array(part.length);
  const sizes = new Float64Array(part.length);
  const digests = Buffer.allocUnsafe(part.length * RAW_DIGEST_BYTES);
  part.forEach(({ directory, entry }, i) => {
    kinds[i] = directory.kinds[entry] ?? 0;
    sizes[i] = directory.sizes[entry] ?? 0;
    copyRaw(directory.digests, entry * RAW_DIGEST_BYTES, digests, i * RAW_DIGEST_BYTES);
  });
  const linkPaths = part.every(isLink) ? part.map(snapshotPath).join('\0') : '';
  return { base, paths, linkPaths, kinds, sizes, digests, how: context.how, readOnly: context.readOnly };
}

function fill(part: readonly Change[], answer: PlaceResult, advance: Advance | undefined): void {
  let bytes = 0;
  part.forEach(({ directory, entry }, i) => {
    bytes += directory.sizes[entry] ?? 0;
    directory.mtimes[entry] = answer.stats[i * 4 + 1] ?? 0;
    directory.ctimes[entry] = answer.stats[i * 4 + 2] ?? 0;
    directory.inodes[entry] = answer.stats[i * 4 + 3] ?? 0;
  });
  advance?.(part.length, bytes);
}

function bytesOf(files: readonly Change[]): number {
  return files.reduce((sum, { directory, entry }) => sum + (directory.sizes[entry] ?? 0), 0);
}
