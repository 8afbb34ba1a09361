import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../util/write-file-atomic.js';
import { readConfig } from '../workspace/config.js';
import { addRemote } from '../workspace/write-config.js';
import type { InitReport } from './reports.js';

/** What git and Nx must not look at. Nx reads every file that is not ignored whole into memory. */
const IGNORED = { '.gitignore': ['/.sluice/', '/sluice.local.json'], '.nxignore': ['.sluice/'] } as const;

/** Name of a remote that is given by its URL alone. */
const FIRST_REMOTE = 'origin';

/**
 * Prepares a workspace: `sluice.json` and ignore lines. What is there already stays, so twice is the same as once. Throws `ERR_CONFIG` for a
 * `sluice.json` or a URL that cannot be used.
 */
export async function init(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  { remote }: { readonly remote?: string },
): Promise<InitReport> {
  const written: string[] = [];
  const config = join(root, 'sluice.json');
  if (!existsSync(config)) {
    writeFileAtomic(config, `${JSON.stringify({ remotes: {} }, undefined, 2)}\n`);
    written.push('sluice.json');
  }
  if (remote !== undefined && ![...readConfig(root, env).remotes.values()].some(({ url }) => url === remote)) {
    addRemote(root, FIRST_REMOTE, { url: remote });
    if (!written.includes('sluice.json')) written.push('sluice.json');
  }
  for (const [name, lines] of Object.entries(IGNORED)) if (addLines(join(root, name), lines)) written.push(name);
  return { written };
}

function addLines(path: string, lines: readonly string[]): boolean {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const present = new Set(text.split(/\r?\n/));
  const missing = lines.filter((line) => !present.has(line));
  if (missing.length === 0) return false;
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  writeFileAtomic(path, `${text}${end}${missing.join('\n')}\n`);
  return true;
}
