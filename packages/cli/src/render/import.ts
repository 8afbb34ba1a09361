import { formatBytes, type ImportReport, plural } from '@sluice/engine';

/** A line for each dataset, and what to do next. */
export function importText(imports: readonly ImportReport[]): string {
  if (imports.length === 0) return 'no dataset was imported from a URL';
  const lines = imports.map(({ project, target, path, files, bytes, changed }) => {
    const size = `${plural(files, 'file')}, ${formatBytes(bytes)}`;
    return `${project}:${target} ${changed ? 'imported' : 'unchanged'}: ${path} (${size})`;
  });
  const next = imports.some(({ changed }) => changed) ? ['commit sluice-lock.json with git next'] : [];
  return [...lines, ...next].join('\n');
}
