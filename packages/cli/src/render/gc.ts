import {
  formatAge,
  formatBytes,
  formatCount,
  type GcExplanation,
  type GcReport,
  type HistoryScope,
  type ObjectSum,
  plural,
} from '@sluice/engine';
import { shortenDigests } from './digest.js';

/** What a collection was asked to keep. */
export type GcScope = HistoryScope & { readonly recordsMs?: number };

/** `removed 3 of 6 objects (1.2 MiB); 3 kept by workspace`, and what was kept because no remote is known to hold it. */
export function gcText({ removed, kept, keptUnpushed, dryRun }: GcReport, scope: GcScope): string {
  const all = count(removed) + count(kept) + count(keptUnpushed);
  const verb = dryRun ? 'would remove' : 'removed';
  const gone = `${verb} ${formatCount(count(removed))} of ${plural(all, 'object')} (${formatBytes(removed.bytes)})`;
  const lines = [`${gone}; ${formatCount(count(kept))} kept by ${scopeText(scope)}`];
  if (count(keptUnpushed) > 0) {
    const unpushed = `kept ${formatCount(count(keptUnpushed))} unpushed (${formatBytes(keptUnpushed.bytes)})`;
    lines.push(`${unpushed}: sluice push --all-commits sends what git knows of, --allow-unpushed drops them`);
  }
  return lines.join('\n');
}

/** Who keeps an object. */
export function gcExplanationText({ digest, keptBy }: GcExplanation): string {
  const name = shortenDigests(digest);
  if (keptBy.length === 0) return `nothing keeps ${name}: gc drops it`;
  return [`${name} is kept by`, ...keptBy.map((why) => `  ${why}`)].join('\n');
}

function scopeText({ allBranches, allTags, allCommits, revs = [], since, num, recordsMs }: GcScope): string {
  const names = [
    'workspace',
    ...(allBranches === true ? ['branches'] : []),
    ...(allTags === true ? ['tags'] : []),
    ...(allCommits === true ? ['commits'] : []),
    ...revs,
    ...(since === undefined ? [] : [`commits since ${since}`]),
    ...(num === undefined ? [] : [`the last ${plural(num, 'commit')}`]),
    ...(recordsMs === undefined ? [] : [`results of the last ${formatAge(recordsMs)}`]),
  ];
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

function count({ blobs, trees }: ObjectSum): number {
  return blobs + trees;
}
