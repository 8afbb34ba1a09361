import { formatAge, formatBytes, formatCount, plural } from './format.js';

/** What the sentences about the collection of a remote need to know. */
export interface RemoteCollection {
  readonly remote: string;
  readonly removed: Sum;
  readonly kept: Sum;
  readonly condemned: Sum;
  readonly dueMs: number | null;
  readonly foreignRoots: number;
  readonly freed: { readonly objects: number; readonly bytes: number };
  readonly repacked: { readonly packs: number; readonly bytes: number };
  readonly unfinished: readonly { readonly key: string; readonly bytes: number; readonly since: string }[];
  readonly dryRun: boolean;
}

interface Sum {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** What went from a remote, what goes next and when, and what was kept; `giveUp` is the option, with a value, that also drops foreign roots. */
export function gcRemoteText(report: RemoteCollection, giveUp: string): string {
  const { remote, removed, condemned, kept, freed, repacked, foreignRoots, unfinished, dueMs, dryRun } = report;
  const verb = dryRun ? 'would remove' : 'removed';
  const gone = `${verb} ${plural(count(removed), 'object')} (${formatBytes(removed.bytes)}) from ${remote}`;
  const lines = [`${gone}; ${formatCount(count(kept))} kept (${formatBytes(kept.bytes)})`];
  if (freed.objects > 0) lines.push(`that ${dryRun ? 'would free' : 'freed'} ${formatBytes(freed.bytes)} there`);
  if (dueMs !== null) {
    const what = `${plural(count(condemned), 'object')} (${formatBytes(condemned.bytes)})`;
    const when = dueMs === 0 ? 'now' : `in ${formatAge(dueMs)}`;
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
    const roots = plural(foreignRoots, 'root');
    lines.push(`${roots} kept that no commit here names: ${giveUp} gives up those that are older`);
  }
  return lines.join('\n');
}

function count({ blobs, trees }: Sum): number {
  return blobs + trees;
}
