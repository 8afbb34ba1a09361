import { basename, join } from 'node:path';
import { SluiceError } from '../errors.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { namingOuts } from '../stage/name-missing.js';
import { progress } from '../stage/progress.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { completeness } from '../store/complete.js';
import { relyOn } from '../store/rely.js';
import type { BucketSettings } from '../workspace/bucket-settings.js';
import { exportFiles } from '../workspace/export-files.js';
import { isS3Url } from '../workspace/object-url.js';
import { filterSnapshot, plannedSnapshot } from '../workspace/plan-placement.js';
import type { Snapshot } from '../workspace/snapshot.js';
import { writeTar } from '../workspace/write-tar.js';
import type { OperationContext } from './context.js';
import { type ExportBucket, exportBucket, exportToBucket } from './export-bucket.js';
import { locksAt } from './locks-at.js';
import type { ExportReport } from './reports.js';
import type { Selected } from './select.js';

/** What to export, and where to. */
export interface ExportSettings {
  /** Absolute path of a directory, or of the file with `tar`; or `s3://bucket/prefix`. */
  readonly to: string;
  /** How the bucket is spoken to, and how objects are kept in it. Credentials come from where every tool for AWS finds them. */
  readonly s3?: BucketSettings;
  /** One tar file instead of plain files. */
  readonly tar?: boolean;
  /** Of this revision instead of the workspace's locks. */
  readonly rev?: string;
  /** Where the bytes that are not here come from. */
  readonly remote?: string;
  /** Replace files that are there with other bytes. */
  readonly force?: boolean;
}

/** An out that is exported, and below which name: `''` for the only one, which fills the directory itself. */
interface Item {
  readonly stage: Stage;
  readonly out: Out;
  readonly root: OutRoot;
  readonly filter: PathFilter | undefined;
  readonly below: string;
}

/**
 * Writes what locks name as plain files: one out into the directory itself, several below their paths in the workspace. What the store lacks comes from a remote. Files that are there with
 * the right bytes stay, so an interrupted export goes on. Throws `ERR_USAGE` if nothing is selected that has data, `ERR_EXPORT_EXISTS`, and what fetching, placing and {@link exportToBucket} throw.
 */
export async function exportData(
  context: OperationContext,
  selected: readonly Selected[],
  settings: ExportSettings,
): Promise<ExportReport> {
  const startedMs = performance.now();
  const { workspace } = context;
  const bucket = bucketOf(context, settings);
  const items = await itemsOf(context, selected, settings.rev);
  const total = { written: 0, unchanged: 0, bytes: 0 };
  await relyOn(
    workspace.store,
    items.map(({ root }) => root),
    async () => {
      await bring(context, items, settings.remote);
      const snapshots = items.map((item) => [item.below, snapshotOf(context, item)] as const);
      if (settings.tar === true) {
        Object.assign(
          total,
          await writeTar(workspace.store.reader, settings.to, snapshots, settings.force === true, context.signal),
        );
        return;
      }
      if (bucket !== undefined) {
        Object.assign(total, await exportToBucket(context, bucket, snapshots, settings.force === true));
        return;
      }
      const place = {
        bulk: workspace.bulk,
        storeDir: workspace.store.layout.dir,
        how: ['reflink', 'copy'] as const,
        readOnly: false,
        signal: context.signal,
        beginProgress: progress(context.emit, 'writing files', settings.to),
      };
      for (const [below, snapshot] of snapshots) {
        const count = await exportFiles(join(settings.to, below), snapshot, place, settings.force === true);
        total.written += count.written;
        total.unchanged += count.unchanged;
        total.bytes += count.bytes;
      }
    },
  );
  return { to: settings.to, ...total, ms: Math.round(performance.now() - startedMs) };
}

/** The bucket that is exported to, if it is one. Throws `ERR_USAGE`. */
function bucketOf(context: OperationContext, { to, s3, tar }: ExportSettings): ExportBucket | undefined {
  if (isS3Url(to) && tar !== true) return exportBucket(context, to, s3 ?? {});
  if (!isS3Url(to) && s3 === undefined) return undefined;
  throw new SluiceError('ERR_USAGE', isS3Url(to) ? 'a tar file is written to the disk' : `${to} is in no bucket`, {
    hint: 'Export to s3://bucket/prefix without --tar, or to a path without the settings of a bucket.',
  });
}

async function itemsOf(
  context: OperationContext,
  selected: readonly Selected[],
  rev: string | undefined,
): Promise<Item[]> {
  const lockOf = await locksAt(context, rev);
  const items = selected.flatMap(({ stage, filterOf }) =>
    stage.outs.flatMap((out) => {
      const root = lockOf(stage)?.get(out.path);
      return root === undefined || !out.cache ? [] : [{ stage, out, root, filter: filterOf?.(out) }];
    }),
  );
  if (items.length === 0) {
    throw new SluiceError('ERR_USAGE', 'nothing that is selected has data in a lock', {
      hint: 'See what there is with `sluice status`.',
    });
  }
  return items.map((item) => ({ ...item, below: items.length === 1 ? '' : belowOf(item) }));
}

/** A file lies in the directory of its path, since its name is in its snapshot. */
function belowOf({ out, root }: Pick<Item, 'out' | 'root'>): string {
  return root.kind === 'tree' ? out.path : out.path.slice(0, Math.max(0, out.path.lastIndexOf('/')));
}

async function bring(context: OperationContext, items: readonly Item[], remote: string | undefined): Promise<void> {
  const { reader } = context.workspace.store;
  const lacking = items.filter(({ root, filter }) => completeness(reader, root, filter) !== 'complete');
  if (lacking.length === 0) return;
  await namingOuts(lacking, () =>
    context.remotes.fetch(
      lacking.map(({ root, filter, out }) => ({ root, filter, remote: out.remote })),
      'everything',
      remote === undefined ? undefined : [remote],
    ),
  );
}

function snapshotOf({ workspace }: OperationContext, { stage, out, root, filter }: Item): Snapshot {
  const whole = plannedSnapshot(workspace.store.reader, root, basename(out.path), filter);
  if (filter === undefined || root.kind === 'blob') return whole;
  const wanted = filterSnapshot(whole, filter);
  if (wanted.directories.length > 1 || wanted.directories[0]?.names.length) return wanted;
  throw new SluiceError('ERR_USAGE', `${stageName(stage.id)}: no file of ${out.path} fits the pattern`, {
    hint: `See what there is with \`sluice ls ${stageName(stage.id)}\`.`,
  });
}
