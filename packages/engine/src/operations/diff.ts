import { hasHead } from '../history/git.js';
import type { Digest } from '../model/digest.js';
import { type FileChange, type FileState, pairRenames } from '../model/file-change.js';
import { diffParts } from '../model/parts.js';
import { compareUtf8 } from '../model/path.js';
import { sameRoot } from '../model/root.js';
import { type DiffTrees, diffRoots } from '../store/diff-trees.js';
import type { OperationContext } from './context.js';
import { diffContents, type FileContentDiff } from './diff-content.js';
import { diffMetrics, type MetricChange } from './diff-metrics.js';
import { nodeReader, readSide, type Side, type SideName, type SideOut, sideNamed } from './diff-sides.js';
import type { Select } from './options.js';
import type { Selected } from './select.js';
import { withAllTrees } from './with-trees.js';

/** What to compare. A side is `workspace`, `lock` (what the locks in the workspace say) or a revision. */
export interface DiffOptions {
  readonly select: Select;
  /** `HEAD` if it is not given, or `lock` where nothing was committed to git. */
  readonly before?: string;
  /** `workspace` if it is not given. */
  readonly after?: string;
  /** Compares the contents of small text, CSV and JSON files, too. */
  readonly content?: boolean;
}

/** A file that one side has. `path` is below the out, `''` for an out that is a file. */
export interface DiffFile extends FileState {
  readonly path: string;
}

/** An out that differs. */
export interface DiffOut {
  readonly project: string;
  readonly target: string;
  readonly path: string;
  readonly added: readonly DiffFile[];
  readonly deleted: readonly DiffFile[];
  readonly modified: readonly { readonly path: string; readonly before: FileState; readonly after: FileState }[];
  /** The same bytes under another path; the rest of it, such as whether it is executable, may differ. */
  readonly renamed: readonly (DiffFile & { readonly from: string })[];
  readonly files: { readonly before: number; readonly after: number };
  /** Of the whole out; `new`: of distinct blobs that were added or modified and are not among those deleted or modified. */
  readonly bytes: { readonly before: number; readonly after: number; readonly new: number };
  /** Only with `content`. */
  readonly content: readonly FileContentDiff[];
}

/** A param whose value differs between the locks of both sides, or from its file; `null` where a side has none. */
export interface ParamChange {
  readonly project: string;
  readonly target: string;
  /** `FILE:KEY`. */
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** How two sides differ, from locks and trees. */
export interface DiffReport {
  readonly before: SideName;
  readonly after: SideName;
  readonly outs: readonly DiffOut[];
  readonly params: readonly ParamChange[];
  readonly metrics: readonly MetricChange[];
}

/**
 * Compares two states of data file by file, without the data: trees that the store lacks come from a remote, and of files only what `content` and metrics need. Throws
 * `ERR_REVISION`; `ERR_NOT_LOCAL` or `ERR_REMOTE_DOWN` if a tree can be had nowhere.
 */
export async function diff(
  context: OperationContext,
  selected: readonly Selected[],
  { select, content, ...names }: DiffOptions,
): Promise<DiffReport> {
  const { workspace, signal } = context;
  const first = names.before ?? ((await hasHead(workspace.root, { signal })) ? 'HEAD' : 'lock');
  const isAll = select.length === 0;
  const before = await readSide(context, selected, isAll, await sideNamed(context, first));
  const after = await readSide(context, selected, isAll, await sideNamed(context, names.after ?? 'workspace'));
  const pairs = [...new Set([...before.outs.keys(), ...after.outs.keys()])]
    .map((key) => ({ before: before.outs.get(key), after: after.outs.get(key) }))
    .filter((pair) => !sameRoot(pair.before?.root, pair.after?.root));
  const compared = await compareTrees(context, { before, after }, pairs);
  const outs: DiffOut[] = [];
  for (const pair of compared) {
    if (pair.changes.length === 0) continue;
    const { before: old, after: now, changes } = pair;
    const contents =
      content === true && old !== undefined && now !== undefined
        ? await diffContents(context, { before: before.name, after: after.name }, { before: old, after: now, changes })
        : [];
    outs.push(reportOf(pair, contents));
  }
  const isMetrics = metricsOuts(selected);
  return {
    before: before.name,
    after: after.name,
    outs: outs.sort(compareOuts),
    params: diffParams(before, after),
    metrics: await diffMetrics(
      context,
      { before, after },
      pairs.filter((pair) => isMetrics.has((pair.after ?? pair.before)?.out.path ?? '')),
    ),
  };
}

/** An out on both sides. */
interface Pair {
  readonly before: SideOut | undefined;
  readonly after: SideOut | undefined;
}

interface ComparedPair extends Pair {
  readonly changes: readonly FileChange[];
}

async function compareTrees(
  context: OperationContext,
  sides: { readonly before: Side; readonly after: Side },
  pairs: readonly Pair[],
): Promise<ComparedPair[]> {
  // What lies in the workspace brings its own nodes; the lock may not even know it.
  const versions = pairs.flatMap((pair) =>
    [pair.before, pair.after].flatMap((out) => (out === undefined || isOverlaid(sides, out) ? [] : [out])),
  );
  const reader = nodeReader(context.workspace.store.reader, new Map([...sides.before.nodes, ...sides.after.nodes]));
  return withAllTrees(context, versions, () =>
    pairs.map((pair) => {
      const filter = (pair.after ?? pair.before)?.filter;
      return { ...pair, changes: pairRenames([...filesThatDiffer({ reader, filter }, pair)]) };
    }),
  );
}

/** Files that were never brought into the workspace are not taken for deleted ones. */
function* filesThatDiffer(trees: DiffTrees, { before, after }: Pair): Generator<FileChange> {
  for (const change of diffRoots(trees, before?.root, after?.root)) {
    if (change.change === 'deleted' && after?.isPart === true) continue;
    if (change.change === 'added' && before?.isPart === true) continue;
    yield change;
  }
}

function isOverlaid({ before, after }: { readonly before: Side; readonly after: Side }, { root }: SideOut): boolean {
  const hex = root.digest.slice('sha256:'.length);
  return before.nodes.has(hex) || after.nodes.has(hex);
}

function reportOf({ before, after, changes }: ComparedPair, content: readonly FileContentDiff[]): DiffOut {
  const of = after ?? before;
  const old = new Set<Digest>(changes.flatMap((change) => ('before' in change ? [change.before.digest] : [])));
  const fresh = new Map<Digest, number>();
  for (const change of changes) {
    if ('after' in change && !old.has(change.after.digest)) fresh.set(change.after.digest, change.after.bytes);
  }
  return {
    project: of?.stage.id.project ?? '',
    target: of?.stage.id.target ?? '',
    path: of?.out.path ?? '',
    added: changes.flatMap((change) => (change.change === 'added' ? [{ path: change.path, ...change.after }] : [])),
    deleted: changes.flatMap((change) =>
      change.change === 'deleted' ? [{ path: change.path, ...change.before }] : [],
    ),
    modified: changes.flatMap((change) =>
      change.change === 'modified' ? [{ path: change.path, before: change.before, after: change.after }] : [],
    ),
    renamed: changes.flatMap((change) =>
      change.change === 'renamed' ? [{ path: change.path, from: change.from, ...change.after }] : [],
    ),
    files: { before: before?.root.files ?? 0, after: after?.root.files ?? 0 },
    bytes: {
      before: before?.root.bytes ?? 0,
      after: after?.root.bytes ?? 0,
      new: [...fresh.values()].reduce((sum, bytes) => sum + bytes, 0),
    },
    content,
  };
}

function diffParams(before: Side, after: Side): ParamChange[] {
  const changes: ParamChange[] = [];
  for (const key of new Set([...before.params.keys(), ...after.params.keys()])) {
    const old = before.params.get(key);
    const now = after.params.get(key);
    const of = now ?? old;
    if (of === undefined) continue;
    for (const { name, before: was, after: is } of diffParts(old?.parts ?? [], now?.parts ?? [])) {
      changes.push({ ...of.id, name, before: was, after: is });
    }
  }
  return changes.sort(
    (a, b) => compareUtf8(a.project, b.project) || compareUtf8(a.target, b.target) || compareUtf8(a.name, b.name),
  );
}

function metricsOuts(selected: readonly Selected[]): ReadonlySet<string> {
  return new Set(selected.flatMap(({ stage }) => stage.outs.filter(({ metrics }) => metrics).map(({ path }) => path)));
}

function compareOuts(a: DiffOut, b: DiffOut): number {
  return compareUtf8(a.project, b.project) || compareUtf8(a.target, b.target) || compareUtf8(a.path, b.path);
}
