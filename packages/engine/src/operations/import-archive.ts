import { basename } from 'node:path';
import { committedRoot, replaceData } from '../stage/replace-data.js';
import { stageName } from '../stage/stage.js';
import type { UnpackReport } from '../workspace/archive/unpack.js';
import { unpackTar } from '../workspace/archive/unpack-tar.js';
import { unpackZip } from '../workspace/archive/unpack-zip.js';
import type { OperationContext } from './context.js';
import { importTarget } from './import-target.js';
import type { ImportReport } from './reports.js';
import type { Selected } from './select.js';

/** What to import, and as what. */
export interface ImportArchiveOptions {
  readonly kind: 'zip' | 'tar';
  /** Absolute path of the archive. */
  readonly from: string;
}

/**
 * Makes the files of an archive the new version of a dataset, and commits it. What lay there before stays in the store. Throws `ERR_USAGE` if not exactly one dataset with
 * one out is selected, what unpacking throws, and what committing throws; the dataset is then as it was.
 */
export async function importArchive(
  context: OperationContext,
  selected: readonly Selected[],
  { kind, from }: ImportArchiveOptions,
): Promise<ImportReport> {
  const startedMs = performance.now();
  const { stage, out } = importTarget(selected);
  const { workspace, signal } = context;
  const unpack = kind === 'zip' ? unpackZip : unpackTar;
  const { filled, committed } = await replaceData(context, stage, out, () =>
    unpack({ from, root: workspace.root, path: out.path, signal }),
  );
  const { files, bytes }: UnpackReport = filled;
  context.emit({ type: 'note', message: `${stageName(stage.id)} holds the files of ${basename(from)}` });
  return {
    ...stage.id,
    path: out.path,
    digest: committedRoot(committed, out).digest,
    files,
    bytes,
    changed: committed.changed,
    ms: Math.round(performance.now() - startedMs),
  };
}
