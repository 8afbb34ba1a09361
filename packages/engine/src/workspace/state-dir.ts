import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes the folder `.sluice/` of a workspace, which hides itself from git: it exists before anybody has run `init`. A workspace that cannot be written
 * is no error here; whoever has to write says so.
 */
export function prepareStateDir(root: string): void {
  const dir = join(root, '.sluice');
  const ignore = join(dir, '.gitignore');
  if (existsSync(ignore)) return;
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(ignore, '*\n');
  } catch {
    // A read-only checkout can be looked at all the same.
  }
}

/** Where the view of the workspace's projects is cached. */
export function projectsCachePath(root: string): string {
  return join(root, '.sluice', 'index', 'projects.json');
}

/** Where the graph of stages is cached, if the workspace has a state folder already: looking at a workspace makes none. */
export function graphCachePath(root: string): string | undefined {
  return existsSync(join(root, '.sluice', 'index')) ? join(root, '.sluice', 'index', 'graph.json') : undefined;
}
