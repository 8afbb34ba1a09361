import { formatBytes, plural, type SummaryOut, type SummaryReport, visible } from '@sluice/engine';
import { table } from './table.js';

const HEAD = ['out', 'files', 'size', 'distinct', 'only here', 'in the store', 'remote', 'on the disk'];

/** A row per out, then what they are together and what the store takes. */
export function summaryText({ outs, files, bytes, distinct, store }: SummaryReport): string {
  if (outs.length === 0) return 'the locks name no data';
  return [
    ...table([HEAD, ...outs.map(rowOf)]),
    '',
    `${plural(outs.length, 'out')}: ${plural(files, 'file')}, ${formatBytes(bytes)}; distinct ${formatBytes(distinct.bytes)}`,
    `store: ${formatBytes(store.disk.bytes)} on the disk, in ${visible(store.path)}`,
  ].join('\n');
}

function rowOf({ path, files, bytes, distinct, own, stored, remote, disk }: SummaryOut): string[] {
  const states = Object.entries(remote).map(([name, state]) => `${visible(name)} ${state}`);
  return [
    visible(path),
    String(files),
    formatBytes(bytes),
    distinct === null ? '?' : formatBytes(distinct.bytes),
    own === null ? '?' : formatBytes(own.bytes),
    stored === null ? '?' : percent(stored.files, files),
    states.length === 0 ? '-' : states.join(', '),
    disk.bytes === 0 ? '-' : formatBytes(disk.bytes),
  ];
}

/** `40 %`; 0 and 100 only where it is none and all. */
function percent(part: number, whole: number): string {
  if (part === whole) return '100 %';
  if (part === 0) return '0 %';
  return `${Math.min(99, Math.max(1, Math.round((100 * part) / whole)))} %`;
}
