// @ts-check
// The packed packages: what a user installs. End-to-end tests and the demo run on them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool } from './run-tool.mjs';
import { withLock } from './with-lock.mjs';

const OWN = join(ROOT, 'tarballs');

/** Tarballs that were packed elsewhere are taken as they are. */
const TARBALLS = process.env.SLUICE_TARBALLS ?? OWN;

/**
 * Absolute paths of the tarballs by package name, packed again if anything in the packages is newer. Several processes may ask at once.
 * Throws if packing fails.
 * @returns {Promise<Record<string, string>>}
 */
export async function freshTarballs() {
  await withLock('pack', () => {
    if (!isFresh()) pack();
  });
  return Object.fromEntries(
    readdirSync(TARBALLS).map((file) => [file.replace(/^sluice-([a-z]+)-.*$/, '@sluice/$1'), join(TARBALLS, file)]),
  );
}

function pack() {
  const { ok, output } = runTool('npm', ['run', '--silent', 'pack:all']);
  if (!ok) throw new Error(`npm run pack:all failed:\n${output}`);
}

function isFresh() {
  if (TARBALLS !== OWN) return true;
  if (!existsSync(OWN)) return false;
  const packed = readdirSync(OWN).map((file) => statSync(join(OWN, file)).mtimeMs);
  const packages = readdirSync(join(ROOT, 'packages')).filter(isPublished);
  return packed.length === packages.length && newestSource(packages) < Math.min(...packed);
}

/** @param {string} name */
function isPublished(name) {
  return JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')).private !== true;
}

/** Tests are not packed. @param {string[]} packages */
function newestSource(packages) {
  const files = packages.flatMap((name) => {
    const folder = join(ROOT, 'packages', name);
    const manifests = readdirSync(folder).filter((entry) => entry.endsWith('.json'));
    return [...manifests, 'README.md', 'src', 'dist'].flatMap((entry) => filesIn(join(folder, entry)));
  });
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** @param {string} path @returns {string[]} */
function filesIn(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /[.](ts|js|json)$/.test(name) && !/[.]test[.]|testing/.test(name))
    .map((name) => join(path, name));
}
