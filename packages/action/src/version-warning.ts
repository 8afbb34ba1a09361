import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { visible } from '@sluice/engine';

/** What makes the bundle puts the version in its place. */
declare const SLUICE_ACTION_VERSION: string | undefined;

/** Says that the executors of a workspace are of another version than this action, with which they share store and remotes. `undefined` if that is not so, or not known. */
export function versionWarning(root: string, own: string | undefined = ownVersion()): string | undefined {
  const installed = installedVersion(root);
  if (own === undefined || installed === undefined || installed === own) return undefined;
  return `${root} has @sluice/nx ${visible(installed)} installed, and the action is ${own}: what the newer one writes, the older one may refuse (ERR_FORMAT_VERSION). Use the action of the version that is installed.`;
}

function ownVersion(): string | undefined {
  return typeof SLUICE_ACTION_VERSION === 'undefined' ? undefined : SLUICE_ACTION_VERSION;
}

function installedVersion(root: string): string | undefined {
  try {
    const path = createRequire(join(root, 'package.json')).resolve('@sluice/nx/package.json');
    const { version }: { version?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
