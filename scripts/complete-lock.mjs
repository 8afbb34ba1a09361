// @ts-check
// Adds to package-lock.json the variants of native packages for other platforms that `npm install` has left out.
// npm drops those it cannot or need not fetch here, and then `npm ci` refuses the lock as out of step.
// `--check` only says what is missing. An added entry has no integrity; npm fills it in where it fetches the package.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './run-tool.mjs';

/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, optionalDependencies?: Record<string, string> }} Entry */

const OS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const CPU = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)\b/;

const path = join(ROOT, 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
/** @type {Record<string, Entry>} */
const entries = lock.packages;
const missing = Object.entries(entries).flatMap(([where, entry]) => missingVariants(where, entry));
if (process.argv.includes('--check')) {
  for (const { key } of missing) console.log(`package-lock.json lacks ${key}: node scripts/complete-lock.mjs`);
  if (missing.length > 0) process.exitCode = 1;
} else if (missing.length > 0) {
  for (const { key, entry } of missing) entries[key] = entry;
  lock.packages = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: added ${missing.length} packages for other platforms`);
}

/** Optional dependencies of one package that the lock does not have, as entries beside that package. @param {string} where @param {Entry} parent */
function missingVariants(where, parent) {
  return Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(where, name))
    .map(([name, version]) => {
      const [, os] = OS.exec(name) ?? [];
      const [, cpu] = CPU.exec(name) ?? [];
      if (os === undefined || !/^\d+\.\d+\.\d+/.test(version))
        throw new Error(`not a platform's variant: ${name}@${version}`);
      const libc = name.includes('musl') ? 'musl' : undefined;
      const entry = {
        version,
        ...(cpu && { cpu: [cpu] }),
        ...(parent.dev && { dev: true }),
        ...(libc && { libc: [libc] }),
        optional: true,
        os: [os],
      };
      return { key: join(dirname(where).replace(/(^|\/)@[^/]+$/, ''), name), entry };
    });
}

/** Whether a package finds a dependency by Node's rule: in its own `node_modules`, or in one further up. @param {string} where @param {string} name */
function isLocked(where, name) {
  for (let folder = where; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder}/node_modules/${name}`.replace(/^\//, '') in entries) return true;
    if (folder === '') return false;
  }
}
