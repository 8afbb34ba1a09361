import { type CheckoutReport, formatBytes, formatDuration, plural } from '@sluice/engine';
import { workspaceRest } from './workspace-rest.js';

/** `restored 2 files (1.3 MiB) from the store in 0.8 s; removed 1 file, 8 files are as they were`. */
export function checkoutText({ workspace, bytes, referenceOnly, ms }: CheckoutReport): string {
  if (workspace.written + workspace.removed > 0) {
    const restored = `restored ${plural(workspace.written, 'file')} (${formatBytes(bytes)}) from the store`;
    return `${restored} in ${formatDuration(ms)}${workspaceRest(workspace)}`;
  }
  if (workspace.unchanged === 0) {
    return referenceOnly.length === 0 ? 'nothing to restore: the locks name no data' : 'nothing restored';
  }
  return `nothing to do: ${plural(workspace.unchanged, 'file')} in place`;
}
