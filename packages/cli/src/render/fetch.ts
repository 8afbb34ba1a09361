import { type FetchReport, formatBytes, formatDuration, plural, sourcesText } from '@sluice/engine';
import { requestsText } from './requests.js';

/** `received 2 files (1.3 MiB) from s3cache in 0.8 s; 8 files were here already`. */
export function fetchText(report: FetchReport, verbose: boolean): string {
  return [fetchSentence(report), ...leftLines(report), ...(verbose ? [requestsText(report.requests)] : [])].join('\n');
}

/** The first line of {@link fetchText}. */
export function fetchSentence(report: FetchReport): string {
  const { files, bytes, remote, left, ms } = report;
  const here = `${plural(files.reused, 'file')} ${files.reused === 1 ? 'was' : 'were'} here already`;
  if (files.received > 0) {
    const received = `received ${plural(files.received, 'file')} (${formatBytes(bytes.received)}) from ${sourcesText(report)}`;
    return `${received} in ${formatDuration(ms)}${files.reused === 0 ? '' : `; ${here}`}`;
  }
  if (files.reused > 0) return `nothing to receive from ${remote}: ${here}`;
  return `nothing to receive from ${remote}${left.files > 0 ? '' : ': the locks name no data'}`;
}

/** What `--max-bytes` left out. */
export function leftLines({ left }: FetchReport): string[] {
  if (left.files === 0) return [];
  return [`left out ${plural(left.files, 'file')} (${formatBytes(left.bytes)}), which would cross --max-bytes`];
}
