import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareUtf8 } from '../../model/path.js';
import { parseJsonc } from '../../util/jsonc.js';
import { readIfPresent } from '../../util/read-if-present.js';
import { isObject } from '../../workspace/merge-target.js';
import { diskFiles } from '../../workspace/text-files.js';
import type { Diagnosis, Patient } from './finding.js';

const SCOPE = '@sluice';

/** Finds packages of Sluice that are installed in several versions: they would read and write each other's store and locks. */
export function checkVersions({ root }: Pick<Patient, 'root'>): Diagnosis[] {
  const installed = new Map<string, string>();
  collect(join(root, 'node_modules'), installed);
  const versions = [...new Set(installed.values())].sort(compareUtf8);
  if (versions.length < 2) return [];
  const list = [...installed].map(([path, version]) => `${path.slice(root.length + 1)} ${version}`).sort(compareUtf8);
  return [
    {
      check: 'versions',
      level: 'problem',
      subject: `${SCOPE}/*`,
      message: `is installed in ${versions.length} versions: ${list.join(', ')}`,
      fix: `Install one version of all: ${SCOPE}/nx@VERSION and ${SCOPE}/cli@VERSION, and remove the others.`,
    },
  ];
}

/** The packages in a `node_modules`, those inside of them, and, where a package manager links them, those beside the real ones. */
function collect(modules: string, installed: Map<string, string>): void {
  const scope = join(modules, SCOPE);
  for (const name of namesIn(scope)) {
    const path = join(scope, name);
    const version = versionIn(path);
    if (version === undefined || installed.has(path)) continue;
    installed.set(path, version);
    collect(join(path, 'node_modules'), installed);
    const real = realpathSync(path);
    if (real !== path) collect(dirname(dirname(real)), installed);
  }
}

/** Packages may be links, which a listing of files leaves out. */
function namesIn(scope: string): string[] {
  const known = ['action', 'cli', 'engine', 'nx'];
  const listed = diskFiles(scope)
    .list('')
    .filter((name) => name.endsWith('/'));
  return [...new Set([...known, ...listed.map((name) => name.slice(0, -1))])];
}

function versionIn(path: string): string | undefined {
  const text = readIfPresent(join(path, 'package.json'));
  if (text === undefined) return undefined;
  try {
    const manifest = parseJsonc(text);
    return isObject(manifest) && typeof manifest.version === 'string' ? manifest.version : undefined;
  } catch {
    return undefined;
  }
}
