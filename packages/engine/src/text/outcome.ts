import { formatBytes, formatCount, formatDuration, plural } from './format.js';

/** What a sentence about a stage needs to know. */
export interface Outcome {
  readonly outcome: 'unchanged' | 'restored' | 'ran' | 'committed';
  readonly files: number;
  readonly bytes: number;
  readonly source: string | undefined;
  readonly referenceOnly: readonly string[];
}

/** `restored 1,204 files (310 MiB) from s3cache in 0.8 s`; what was left reference-only is named. */
export function outcomeText(result: Outcome, ms: number): string {
  const left = result.referenceOnly.length === 0 ? '' : `; ${result.referenceOnly.join(', ')} left reference-only`;
  switch (result.outcome) {
    case 'unchanged':
      return `unchanged${left}`;
    case 'restored':
      return `restored ${size(result)}${result.source === undefined ? '' : ` from ${result.source}`} in ${formatDuration(ms)}${left}`;
    case 'committed':
      return `committed ${size(result)} in ${formatDuration(ms)}`;
    case 'ran':
      return `made ${size(result)} in ${formatDuration(ms)}`;
  }
}

function size({ files, bytes }: Outcome): string {
  return files === 0 ? `${formatCount(0)} files` : `${plural(files, 'file')} (${formatBytes(bytes)})`;
}
