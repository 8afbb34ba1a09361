import { formatBytes, formatCount, formatDuration, type PushReport, plural, type RemotePush } from '@sluice/engine';
import { requestsText } from './requests.js';

/** A line for each remote: `pushed 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to s3cache in 0.8 s`. Counts files of the user, not objects. */
export function pushText({ remotes, dryRun }: PushReport, verbose: boolean): string {
  return remotes.map((one) => pushedText(one, dryRun, verbose)).join('\n');
}

function pushedText(
  { files, bytes, remote, requests, ms, error }: RemotePush,
  dryRun: boolean,
  verbose: boolean,
): string {
  if (error !== null) return `not pushed to ${remote}: ${error.code}`;
  const details = verbose ? [requestsText(requests)] : [];
  const all = files.sent + files.reused;
  if (all === 0) return [`nothing to push to ${remote}: the locks name no data`, ...details].join('\n');
  const sent = `${formatCount(files.sent)} new (${formatBytes(bytes.sent)})`;
  const size = files.reused === 0 ? '' : ` (${formatBytes(bytes.reused)})`;
  const sentence = `${dryRun ? 'would push' : 'pushed'} ${plural(all, 'file')}: ${sent}, ${formatCount(files.reused)} already stored${size}`;
  return [`${sentence}; to ${remote}${dryRun ? '' : ` in ${formatDuration(ms)}`}`, ...details].join('\n');
}
