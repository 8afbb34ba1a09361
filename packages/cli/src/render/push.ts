import { formatBytes, formatCount, formatDuration, type PushReport, plural } from '@sluice/engine';
import { requestsText } from './requests.js';

/** `pushed 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to s3cache in 0.8 s`. Counts files of the user, not objects. */
export function pushText({ files, bytes, remote, dryRun, requests, ms }: PushReport, verbose: boolean): string {
  const details = verbose ? [requestsText(requests)] : [];
  const all = files.sent + files.reused;
  if (all === 0) return [`nothing to push to ${remote}: the locks name no data`, ...details].join('\n');
  const sent = `${formatCount(files.sent)} new (${formatBytes(bytes.sent)})`;
  const size = files.reused === 0 ? '' : ` (${formatBytes(bytes.reused)})`;
  const sentence = `${dryRun ? 'would push' : 'pushed'} ${plural(all, 'file')}: ${sent}, ${formatCount(files.reused)} already stored${size}`;
  return [`${sentence}; to ${remote}${dryRun ? '' : ` in ${formatDuration(ms)}`}`, ...details].join('\n');
}
