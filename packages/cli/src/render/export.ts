import { type ExportReport, formatBytes, plural } from '@sluice/engine';

/** `wrote 10 files (1.2 MiB) to /delivery; 3 were there already` */
export function exportText({ to, written, unchanged, bytes }: ExportReport): string {
  const there = unchanged === 0 ? '' : `; ${unchanged} ${unchanged === 1 ? 'was' : 'were'} there already`;
  return `wrote ${plural(written, 'file')} (${formatBytes(bytes)}) to ${to}${there}`;
}
