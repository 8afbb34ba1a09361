import { formatBytes, plural, type RemoteStatReport } from '@sluice/engine';

/** What the maps of a remote name, then what lies there. */
export function remoteStatText({
  remote,
  blobs,
  trees,
  packs,
  records,
  bytes,
  referencedBytes,
}: RemoteStatReport): string {
  return [
    `${remote} names ${plural(blobs, 'blob')} (${formatBytes(referencedBytes)}) and ${plural(trees, 'tree')}`,
    `it holds ${formatBytes(bytes)} in all, with ${plural(packs, 'pack')} and ${plural(records, 'record')}`,
  ].join('\n');
}
