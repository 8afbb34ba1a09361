import { formatBytes, formatCount, type PullReport, plural, sourcesText } from '@sluice/engine';
import { fetchSentence, leftLines } from './fetch.js';
import { requestsText } from './requests.js';
import { workspaceRest } from './workspace-rest.js';

/** `restored 2 files (1.3 MiB): 0 local, 2 from s3cache`; the size is that of what came from the remote. */
export function pullText(report: PullReport, verbose: boolean): string {
  return [...sentences(report), ...leftLines(report), ...(verbose ? [requestsText(report.requests)] : [])].join('\n');
}

function sentences(report: PullReport): string[] {
  const { workspace, files, bytes } = report;
  const remote = sourcesText(report);
  const isSettled = workspace.written + workspace.removed === 0;
  if (isSettled && files.received === 0 && workspace.unchanged > 0) {
    return [`nothing to do: ${plural(workspace.unchanged, 'file')} in place`];
  }
  if (isSettled) return [fetchSentence(report)];
  const restored = restoredText(workspace.written, files.received, formatBytes(bytes.received), remote);
  // Versions of the history, for example, come into the store only.
  const more = files.received > workspace.written ? [fetchSentence(report)] : [];
  return [...more, `${restored}${workspaceRest(workspace)}`];
}

function restoredText(written: number, received: number, size: string, remote: string): string {
  const fromRemote = Math.min(written, received);
  const local = written - fromRemote;
  const counts = (shownSize: string): string =>
    `${formatCount(local)} local, ${formatCount(fromRemote)}${shownSize} from ${remote}`;
  if (received === written && local === 0) return `restored ${plural(written, 'file')} (${size}): ${counts('')}`;
  return `restored ${plural(written, 'file')}: ${counts(received === 0 || received > written ? '' : ` (${size})`)}`;
}
