import {
  type CheckoutReport,
  type FetchReport,
  formatBytes,
  formatDuration,
  type GcReport,
  type ObjectSum,
  type PullReport,
  type PushReport,
  plural,
  type RemotePush,
  reasonsText,
  reasonText,
  type StatusReport,
  sourcesText,
} from '@sluice/engine';

/** A line for each remote: `pushed 2 files (156.6 KiB) to s3cache in 0.8 s; 5 files there already`. */
export function pushText({ remotes, dryRun }: PushReport): string {
  return remotes.map((one) => pushedText(one, dryRun)).join('\n');
}

function pushedText({ files, bytes, remote, ms, error }: RemotePush, dryRun: boolean): string {
  if (error !== null) return `not pushed to ${remote}`;
  if (files.sent + files.reused === 0) return `nothing to push to ${remote}: the locks name no data`;
  const there = files.reused === 0 ? '' : `; ${plural(files.reused, 'file')} there already`;
  const sent = `${plural(files.sent, 'file')} (${formatBytes(bytes.sent)}) to ${remote}`;
  return dryRun ? `would push ${sent}${there}` : `pushed ${sent} in ${formatDuration(ms)}${there}`;
}

/** `received 2 files (1.3 MiB) from s3cache in 0.8 s; wrote 2 files, 8 files in place`, and what was left out. */
export function pullText(report: PullReport): string {
  const { workspace, left } = report;
  const leftOut =
    left.files === 0 ? '' : `; left out ${plural(left.files, 'file')} (${formatBytes(left.bytes)}) for maxBytes`;
  return `${receivedText(report)}; ${workspaceText(workspace)}${leftOut}`;
}

function receivedText(report: FetchReport): string {
  const { files, bytes, remote, ms } = report;
  if (files.received === 0) return `nothing to receive from ${remote}`;
  return `received ${plural(files.received, 'file')} (${formatBytes(bytes.received)}) from ${sourcesText(report)} in ${formatDuration(ms)}`;
}

/** `wrote 2 files, removed 1 file, 8 files in place (1.3 MiB) in 0.8 s`, and what could not be written. */
export function checkoutText({ workspace, bytes, referenceOnly, ms }: CheckoutReport): string {
  const files = referenceOnly.reduce((sum, out) => sum + out.files, 0);
  const left = referenceOnly.length === 0 ? '' : `; ${plural(files, 'file')} left reference-only, a pull brings them`;
  return `${workspaceText(workspace)} (${formatBytes(bytes)}) in ${formatDuration(ms)}${left}`;
}

function workspaceText({ written, removed, unchanged }: CheckoutReport['workspace']): string {
  const gone = removed === 0 ? '' : `, removed ${plural(removed, 'file')}`;
  return `wrote ${plural(written, 'file')}${gone}, ${plural(unchanged, 'file')} in place`;
}

/** `removed 3 objects (1.2 MiB), kept 3 objects in 0.8 s`, and what was kept because no remote is known to hold it. */
export function gcText({ removed, kept, keptUnpushed, dryRun, ms }: GcReport): string {
  const gone = `${dryRun ? 'would remove' : 'removed'} ${objects(removed)} (${formatBytes(removed.bytes)})`;
  const unpushed =
    count(keptUnpushed) === 0
      ? ''
      : `, and ${objects(keptUnpushed)} that no remote is known to hold (${formatBytes(keptUnpushed.bytes)})`;
  return `${gone}, kept ${objects(kept)}${unpushed} in ${formatDuration(ms)}`;
}

/** A line per stage with its state and reasons, and one per out with where its data is. */
export function statusText({ stages }: StatusReport, verbose: boolean): string {
  const lines = stages.flatMap(({ project, target, state, reasons, outs }) => {
    const why = verbose ? reasons.map(reasonText).join(', ') : reasonsText(reasons);
    const places = outs.map((out) => {
      const remotes = Object.entries(out.remote).map(([name, at]) => `, ${name} ${at}`);
      const size = out.digest === null ? '' : ` ${plural(out.files, 'file')} (${formatBytes(out.bytes)}),`;
      return `  ${out.path}:${size} workspace ${out.workspace}, store ${out.store}${remotes.join('')}`;
    });
    return [`${project}:${target} ${state}${why === '' ? '' : `: ${why}`}`, ...places];
  });
  return lines.join('\n');
}

function objects(sum: ObjectSum): string {
  return plural(count(sum), 'object');
}

function count({ blobs, trees }: ObjectSum): number {
  return blobs + trees;
}
