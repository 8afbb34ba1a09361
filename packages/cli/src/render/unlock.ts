import { formatBytes, plural, type UnlockReport } from '@sluice/engine';

/** `unlocked 2 files (1.3 MiB copied); 1 file was writable already` */
export function unlockText({ unlocked, unchanged, bytes }: UnlockReport): string {
  const parts =
    unlocked.length === 0 ? [] : [`unlocked ${plural(unlocked.length, 'file')} (${formatBytes(bytes)} copied)`];
  if (unchanged.length > 0) {
    parts.push(`${plural(unchanged.length, 'file')} ${unchanged.length === 1 ? 'was' : 'were'} writable already`);
  }
  return parts.join('; ');
}
