import {
  formatBytes,
  formatCount,
  formatDuration,
  type GcExplanation,
  type GcRemoteReport,
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

/** What went from a remote, what goes next and when, and what was kept. */
export function gcRemoteText(report: GcRemoteReport): string {
  const { remote, removed, condemned, kept, freed, repacked, foreignRoots, unfinished, dueMs, dryRun } = report;
  const verb = dryRun ? 'would remove' : 'removed';
  const gone = `${verb} ${plural(count(removed), 'object')} (${formatBytes(removed.bytes)}) from ${remote}`;
  const lines = [`${gone}; ${formatCount(count(kept))} kept (${formatBytes(kept.bytes)})`];
  if (freed.objects > 0) lines.push(`that ${dryRun ? 'would free' : 'freed'} ${formatBytes(freed.bytes)} there`);
  if (dueMs !== null) {
    const what = `${plural(count(condemned), 'object')} (${formatBytes(condemned.bytes)})`;
    const when = dueMs === 0 ? 'now' : `in ${ageText(dueMs)}`;
    lines.push(
      `${dryRun ? 'would condemn' : 'condemned'} ${what}: a collection ${when} or later deletes what nobody needs by then`,
    );
  }
  if (repacked.packs > 0) {
    const copied = `${dryRun ? 'would copy' : 'copied'} ${formatBytes(repacked.bytes)} out of`;
    lines.push(`${copied} ${plural(repacked.packs, 'pack')} of which most was dead`);
  }
  if (unfinished.length > 0) {
    const sent = unfinished.reduce((sum, { bytes }) => sum + bytes, 0);
    lines.push(`${verb} ${plural(unfinished.length, 'unfinished upload')} (${formatBytes(sent)})`);
    // What is gone stands in the receipt.
    if (dryRun)
      for (const { key, bytes, since } of unfinished)
        lines.push(`  ${key} (${formatBytes(bytes)}, nothing since ${since})`);
  }
  if (foreignRoots > 0) {
    lines.push(
      `${plural(foreignRoots, 'root')} kept that no commit here names: --foreign 90d gives up those that are older`,
    );
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
    ...(recordsMs === undefined ? [] : [`results of the last ${ageText(recordsMs)}`]),
  ];
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

const DAY_MS = 86_400_000;

function ageText(ms: number): string {
  return ms % DAY_MS === 0 ? plural(ms / DAY_MS, 'day') : formatDuration(ms);
}

function count({ blobs, trees }: ObjectSum): number {
  return blobs + trees;
}
