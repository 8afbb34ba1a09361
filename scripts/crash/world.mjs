// @ts-check
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { must } from './process.mjs';

/** A workspace, a clone of it and a remote. @typedef {{ folder: string, workspace: string, clone: string, remote: string }} World */

const RAW_FILES = 120;
const LARGE_EVERY = 20;

/** Makes many files from one number, slowly enough to be killed meanwhile. */
const MAKE = `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const n = Number(JSON.parse(readFileSync('params.json', 'utf8')).n);
for (let at = 0; at < 150; at += 1) {
  mkdirSync('made/' + (at % 10), { recursive: true });
  writeFileSync('made/' + (at % 10) + '/' + at + '.txt', ('made ' + (at < 100 ? at : n * 1000 + at) + '\\n').repeat(at === 7 ? 20_000 : 20));
  if (at % 30 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}
`;

const PROJECT = {
  name: 'p',
  targets: {
    raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } },
    make: {
      executor: '@sluice/nx:stage',
      options: {
        command: 'node make.mjs',
        deps: ['{projectRoot}/make.mjs'],
        params: ['{projectRoot}/params.json:n'],
        outs: ['{projectRoot}/made'],
      },
    },
    use: {
      executor: '@sluice/nx:stage',
      options: {
        command: 'cat made/*/*.txt raw/*.bin > used.bin',
        deps: ['{projectRoot}/made', '{projectRoot}/raw'],
        outs: ['{projectRoot}/used.bin'],
      },
    },
  },
};

/** Makes a world with a first version of everything, committed and pushed. @returns {Promise<World>} */
export async function makeWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
  const workspace = join(folder, 'workspace');
  const world = { folder, workspace, clone: join(folder, 'clone'), remote: join(folder, 'remote') };
  write(workspace, 'nx.json', '{}\n');
  write(workspace, 'p/project.json', JSON.stringify(PROJECT));
  write(workspace, 'p/make.mjs', MAKE);
  writeParam(workspace, 0);
  for (let at = 0; at < RAW_FILES; at += 1) writeRaw(workspace, at, 0);
  await must(workspace, ['git', 'init', '--quiet', '--initial-branch=main']);
  for (const [key, value] of [
    ['name', 'Crash'],
    ['email', 'crash@example.com'],
  ]) {
    await must(workspace, ['git', 'config', `user.${key}`, value ?? '']);
  }
  await must(workspace, ['init', '--remote', 'file:../remote']);
  for (const words of [['commit'], ['run', 'p:make'], ['run', 'p:use'], ['push']]) await must(workspace, words);
  await commitLocks(workspace, 'First version');
  await must(workspace, ['git', 'clone', '--quiet', '.', world.clone]);
  return world;
}

/** Puts another number into the params. @param {string} root @param {number} n */
export function writeParam(root, n) {
  write(root, 'p/params.json', JSON.stringify({ n }));
}

/** Writes one file of the tracked data; some are large enough to be objects of their own. @param {string} root @param {number} at @param {number} version */
export function writeRaw(root, at, version) {
  const block = createHash('sha512').update(`${at} ${version}`).digest();
  write(root, `p/raw/${at}.bin`, Buffer.concat(Array(at % LARGE_EVERY === 0 ? 3000 : 5 + at).fill(block)));
}

/** How many files of the tracked data there are. */
export const RAW_COUNT = RAW_FILES;

/** Commits what git does not ignore. @param {string} root @param {string} message */
export async function commitLocks(root, message) {
  await must(root, ['git', 'add', '--all']);
  await must(root, ['git', 'commit', '--quiet', '--allow-empty', '--message', message]);
}

/** One digest over all files below a path, or `absent`. @param {string} path @returns {string} */
export function fingerprintOfFiles(path) {
  const hash = createHash('sha256');
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(`${file.slice(path.length)}\n`).update(readFileSync(file));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT') return 'absent';
    if (error.code !== 'ENOTDIR') throw error;
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** @param {World} world */
export function deleteWorld({ folder }) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** @param {string} root @param {string} path @param {string | Uint8Array} content */
function write(root, path, content) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
