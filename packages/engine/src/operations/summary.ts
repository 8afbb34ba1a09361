import { type Digest, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { walkTree } from '../store/trees.js';
import { type DiskUse, diskUse } from '../workspace/disk-use.js';
import { absolutePath } from '../workspace/workspace.js';
import type { OperationContext } from './context.js';
import type { Select } from './options.js';
import { type AskedRemotes, remoteStatesOf } from './remote-states.js';
import type { RemoteState } from './remotes.js';
import type { Selected } from './select.js';
import { lockedVersions, type Version } from './versions.js';
import { type MissingTrees, withTrees } from './with-trees.js';

/** What to sum up. */
export interface SummaryOptions {
  readonly select: Select;
  /** What the locks of this revision name, not those of the workspace. */
  readonly rev?: string;
  /** Remotes to ask for each out; `own` if nothing is said. */
  readonly remotes?: AskedRemotes;
}

/** Files with the sum of their bytes. */
export interface FileSum {
  readonly files: number;
  readonly bytes: number;
}

/** One out. What only its trees can tell is `null` where they can be had nowhere. */
export interface SummaryOut extends FileSum {
  readonly project: string;
  readonly target: string;
  readonly path: string;
  readonly digest: Digest;
  /** Distinct blobs, and those that no other out of this summary has. */
  readonly distinct: FileSum | null;
  readonly own: FileSum | null;
  /** Files whose bytes are in the store. */
  readonly stored: FileSum | null;
  readonly remote: Readonly<Record<string, RemoteState>>;
  /** What lies in its place in the workspace, in blocks. */
  readonly disk: DiskUse;
}

/** Where the data of outs is, and how much it is. */
export interface SummaryReport extends FileSum {
  readonly outs: readonly SummaryOut[];
  /** Blobs that the outs have together, each once. */
  readonly distinct: FileSum;
  /** The store with all that it holds, as `du` counts it. */
  readonly store: { readonly path: string; readonly disk: DiskUse };
}

/** Sums up outs from locks and trees; trees come from a remote where the store lacks them. Throws `ERR_REVISION`. */
export async function summary(
  context: OperationContext,
  selected: readonly Selected[],
  { rev, remotes }: SummaryOptions,
): Promise<SummaryReport> {
  const versions = await lockedVersions(context, selected, rev);
  const { store } = context.workspace;
  const counted = await withTrees(context, versions, (missing) => countBlobs(store.reader, versions, missing));
  for (const { code, message, hint } of counted.missing.values()) {
    context.emit({ type: 'warning', code, message, ...(hint === undefined ? {} : { hint }) });
  }
  const states = await remoteStatesOf(context, versions, remotes ?? 'own');
  const outs = versions.map(({ stage, out, root }, i): SummaryOut => {
    const { distinct = null, own = null, stored = null } = counted.outs[i] ?? {};
    return {
      ...stage.id,
      path: out.path,
      digest: root.digest,
      files: root.files,
      bytes: root.bytes,
      distinct,
      own,
      stored,
      remote: states[i] ?? {},
      disk: diskUse(absolutePath(context.workspace, out.path)),
    };
  });
  return {
    outs,
    files: outs.reduce((sum, { files }) => sum + files, 0),
    bytes: outs.reduce((sum, { bytes }) => sum + bytes, 0),
    distinct: counted.distinct,
    store: { path: store.layout.dir, disk: diskUse(store.layout.dir) },
  };
}

interface Sum {
  files: number;
  bytes: number;
}

interface BlobCount {
  readonly distinct: Sum;
  readonly own: Sum;
  readonly stored: Sum;
}

/** The owner of what several outs have. */
const SHARED = -1;

function countBlobs(
  reader: ObjectReader,
  versions: readonly Version[],
  missing: MissingTrees,
): { readonly outs: (BlobCount | undefined)[]; readonly distinct: FileSum; readonly missing: MissingTrees } {
  const owners = new DigestTable();
  const distinct = nothing();
  const outs: (BlobCount | undefined)[] = [];
  for (const [number, version] of versions.entries()) {
    if (missing.has(version)) {
      outs.push(undefined);
      continue;
    }
    const count = { distinct: nothing(), own: nothing(), stored: nothing() };
    outs.push(count);
    const inOut = new DigestTable();
    forEachBlob(reader, version, (raw, rawAt, size) => {
      if (reader.catalog.has('blob', raw, rawAt)) add(count.stored, 1, size);
      if (!inOut.set(raw, rawAt)) return;
      add(count.distinct, 1, size);
      const owner = owners.get(raw, rawAt);
      if (owner === undefined) {
        add(distinct, 1, size);
        add(count.own, 1, size);
      } else {
        const other = outs[owner];
        if (other !== undefined) add(other.own, -1, -size);
      }
      owners.set(raw, rawAt, owner === undefined ? number : SHARED);
    });
  }
  return { outs, distinct, missing };
}

function forEachBlob(
  reader: ObjectReader,
  { root, filter }: Version,
  visit: (raw: Buffer, rawAt: number, size: number) => void,
): void {
  if (root.kind === 'blob') {
    visit(rawOf(root.digest), 0, root.bytes);
    return;
  }
  for (const { path, names, kinds, sizes, digests } of walkTree(reader, root.digest, filter)) {
    for (let i = 0; i < names.length; i++) {
      if (kinds[i] === TREE || filter?.(path === '' ? (names[i] ?? '') : `${path}/${names[i]}`) === false) continue;
      visit(digests, i * RAW_DIGEST_BYTES, sizes[i] ?? 0);
    }
  }
}

function nothing(): Sum {
  return { files: 0, bytes: 0 };
}

function add(sum: Sum, files: number, bytes: number): void {
  sum.files += files;
  sum.bytes += bytes;
}
