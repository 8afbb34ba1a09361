import type { Digest } from '../model/digest.js';
import { listRoot } from '../store/list-tree.js';
import type { OperationContext } from './context.js';
import type { Select } from './options.js';
import type { Selected } from './select.js';
import { lockedVersions, type Version } from './versions.js';
import { withAllTrees } from './with-trees.js';

/** What to list. */
export interface LsOptions {
  readonly select: Select;
  /** What the locks of this revision name, not those of the workspace. */
  readonly rev?: string;
  /** Only files whose bytes are in the store; no remote is asked. */
  readonly local?: boolean;
}

/** A file or directory of an out. */
export interface LsEntry {
  /** Below the out; `''` for an out that is a file. */
  readonly path: string;
  readonly kind: 'file' | 'executable' | 'link' | 'directory';
  readonly digest: Digest;
  /** Files that are listed below a directory; 1 for anything else. */
  readonly files: number;
  readonly bytes: number;
  /** Whether the store has the bytes, of a directory all that is listed. */
  readonly stored: boolean;
}

/** One out: the whole of it, what is listed of it, and what the store has of that. */
export interface LsOut {
  readonly project: string;
  readonly target: string;
  readonly path: string;
  readonly digest: Digest;
  readonly files: number;
  readonly bytes: number;
  readonly listed: Sum;
  readonly stored: Sum;
  /** Each directory is followed by its contents. */
  readonly entries: readonly LsEntry[];
}

interface Sum {
  readonly files: number;
  readonly bytes: number;
}

/** What locks name, from trees alone. `files` and `bytes` sum up what is listed. */
export interface LsReport extends Sum {
  readonly outs: readonly LsOut[];
}

/**
 * Lists what locks name. Trees come from a remote where the store lacks them; blobs never move. Throws `ERR_REVISION`; `ERR_NOT_LOCAL` or `ERR_REMOTE_DOWN` if a tree
 * can be had nowhere.
 */
export async function ls(
  context: OperationContext,
  selected: readonly Selected[],
  options: LsOptions,
): Promise<LsReport> {
  const versions = await lockedVersions(context, selected, options.rev);
  const listAll = (): LsOut[] => versions.map((version) => listVersion(context, version, options.local === true));
  const outs = options.local === true ? listAll() : await withAllTrees(context, versions, listAll);
  // A pattern that matches nothing in an out is not about that out.
  const shown = outs.filter(({ entries }, i) => entries.length > 0 || versions[i]?.filter === undefined);
  return { outs: shown, ...sumOf(shown.map(({ listed }) => listed)) };
}

function listVersion(context: OperationContext, version: Version, storedOnly: boolean): LsOut {
  const { stage, out, root, filter } = version;
  const { reader } = context.workspace.store;
  const entries = listRoot(reader, root, { filter, storedOnly });
  const files = entries.filter(({ kind }) => kind !== 'directory');
  return {
    ...stage.id,
    path: out.path,
    digest: root.digest,
    files: root.files,
    bytes: root.bytes,
    listed: sumOf(files),
    stored: sumOf(files.filter(({ stored }) => stored)),
    entries,
  };
}

function sumOf(parts: readonly Sum[]): Sum {
  let files = 0;
  let bytes = 0;
  for (const part of parts) {
    files += part.files;
    bytes += part.bytes;
  }
  return { files, bytes };
}
