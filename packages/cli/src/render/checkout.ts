import { type CheckoutReport, formatBytes, formatDuration, plural } from '@sluice/engine';
import { workspaceRest } from './workspace-rest.js';

/** `restored 2 files (1.3 MiB) from the store in 0.8 s; removed 1 file, left 8 files as they were`, and what could not be restored. */
export function checkoutText(report: CheckoutReport): string {
  return [sentence(report), ...referenceOnlyLine(report)].join('\n');
}

function sentence({ workspace, bytes, referenceOnly, ms }: CheckoutReport): string {
  if (workspace.written + workspace.removed > 0) {
    const restored = `restored ${plural(workspace.written, 'file')} (${formatBytes(bytes)}) from the store`;
    return `${restored} in ${formatDuration(ms)}${workspaceRest(workspace)}`;
  }
  if (workspace.unchanged > 0) return `nothing to do: ${plural(workspace.unchanged, 'file')} in place`;
  return referenceOnly.length > 0 ? 'nothing restored' : 'nothing to restore: the locks name no data';
}

function referenceOnlyLine({ referenceOnly }: CheckoutReport): string[] {
  if (referenceOnly.length === 0) return [];
  const files = referenceOnly.reduce((sum, out) => sum + out.files, 0);
  const bytes = referenceOnly.reduce((sum, out) => sum + out.bytes, 0);
  return [
    `reference-only: ${plural(referenceOnly.length, 'out')} (${plural(files, 'file')}, ${formatBytes(bytes)}); sluice pull brings the data`,
  ];
}
