import {
  type CommitReport,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  plural,
  visible,
} from '@sluice/engine';
import { shortenDigests } from './digest.js';
import { table } from './table.js';

/** One line per out, then what it took: `committed 10 files (679.0 KiB) in 20 ms (33.2 MiB/s): 11 new objects (679.0 KiB), 0 stored already`. */
export function commitText({ stages, objects, bytes, ms }: CommitReport): string {
  if (stages.length === 0) return 'nothing to commit: no data that is kept by hand lies in the workspace';
  const outs = stages.flatMap((stage) =>
    stage.outs.map((out) => ({ ...out, name: `${stage.project}:${stage.target}` })),
  );
  const rows = outs.map(({ name, path, files, bytes: size, digest }) => [
    name,
    visible(path),
    plural(files, 'file'),
    formatBytes(size),
    shortenDigests(digest),
  ]);
  const files = outs.reduce((sum, out) => sum + out.files, 0);
  const all = outs.reduce((sum, out) => sum + out.bytes, 0);
  // An index knows the digests of what did not change, so there was nothing to do fast.
  const rate = objects.new === 0 ? undefined : formatRate(all, ms);
  const took = `${formatDuration(ms)}${rate === undefined ? '' : ` (${rate})`}`;
  const fresh =
    objects.new === 0 ? 'no new objects' : `${plural(objects.new, 'new object')} (${formatBytes(bytes.new)})`;
  return [
    ...table(rows),
    `committed ${plural(files, 'file')} (${formatBytes(all)}) in ${took}: ${fresh}, ${formatCount(objects.reused)} stored already`,
    ...(objects.new === 0 ? [] : ['next: commit sluice-lock.json with git']),
  ].join('\n');
}
