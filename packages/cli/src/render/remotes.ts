import { type RemoteReport, visible } from '@sluice/engine';
import { table } from './table.js';

/** One line per remote: name, URL, and what is special about it. */
export function remotesText(remotes: readonly RemoteReport[]): string {
  if (remotes.length === 0) return 'no remotes; add one: sluice remote add NAME URL';
  return table(
    remotes.map(({ name, url, default: isDefault, readOnly }) => [
      visible(name),
      visible(url),
      [...(isDefault ? ['default'] : []), ...(readOnly ? ['read-only'] : [])].join(', '),
    ]),
  ).join('\n');
}
