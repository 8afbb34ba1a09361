import { plural, type WorkspaceCount } from '@sluice/engine';

/** What happened to the files of the workspace that were not written, to be put behind a sentence. */
export function workspaceRest({ removed, unchanged }: WorkspaceCount): string {
  const parts = [
    ...(removed === 0 ? [] : [`removed ${plural(removed, 'file')}`]),
    ...(unchanged === 0 ? [] : [`left ${plural(unchanged, 'file')} as ${unchanged === 1 ? 'it was' : 'they were'}`]),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}
