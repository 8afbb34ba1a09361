import { formatBytes, plural, type StoreStat } from '@sluice/engine';

/** `6 objects: 4 blobs, 2 trees (1.2 MiB)`, then what else there is and where. */
export function storeStatText({ objects, blobs, trees, records, bytes, path }: StoreStat): string {
  return [
    `${plural(objects, 'object')}: ${plural(blobs, 'blob')}, ${plural(trees, 'tree')} (${formatBytes(bytes)})`,
    `${plural(records, 'record')}; in ${path}`,
  ].join('\n');
}
