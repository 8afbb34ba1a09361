// @ts-check
import { createCipheriv, createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { must } from './process.mjs';
import { commitLocks } from './world.mjs';

/** A workspace that pushes, and a clone of it that pulls. @typedef {{ folder: string, workspace: string, clone: string }} World */

const MIB = 1024 * 1024;
const SMALL_FILES = 200;
/** Goes with one request. */
const MIDDLE_BYTES = 9 * MIB;

const PROJECT = {
  name: 'p',
  targets: {
    raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } },
    make: {
      executor: '@sluice/nx:stage',
      options: {
        command: 'cp raw/0.bin made.bin',
        deps: ['{projectRoot}/raw'],
        outs: ['{projectRoot}/made.bin'],
      },
    },
  },
};

/** Makes a world whose remote is a bucket; nothing is pushed yet. @param {string} url @param {string} endpoint @returns {Promise<World>} */
export async function makeS3World(url, endpoint) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-crash-s3-'));
  const workspace = join(folder, 'workspace');
  write(workspace, 'nx.json', '{}\n');
  write(workspace, 'p/project.json', JSON.stringify(PROJECT));
  await must(workspace, ['git', 'init', '--quiet', '--initial-branch=main']);
  for (const [key, value] of [
    ['user.name', 'Crash'],
    ['user.email', 'crash@example.com'],
  ])
    await must(workspace, ['git', 'config', key ?? '', value ?? '']);
  await must(workspace, ['init']);
  await must(workspace, ['remote', 'add', 'origin', url, '--endpoint', endpoint]);
  await commitLocks(workspace, 'Begin');
  const clone = join(folder, 'clone');
  await must(workspace, ['git', 'clone', '--quiet', '.', clone]);
  return { folder, workspace, clone };
}

/** Writes a version of the data: some of the small files, the one of the middle every third time, the large one always. @param {string} root @param {number} version @param {number} largeMib */
export async function writeVersion(root, version, largeMib) {
  for (let at = 0; at < SMALL_FILES; at += 1) {
    // Some are large enough to be files of their own in a store.
    if (version === 0 || (at + version) % 4 === 0)
      write(root, `p/raw/${at}.bin`, noise(`${at} ${version}`, at % 20 === 0 ? 200_000 : 3000));
  }
  if (version % 3 === 0) write(root, 'p/raw/middle.bin', noise(`middle ${version}`, MIDDLE_BYTES));
  write(root, 'p/raw/large.bin', noise(`large ${version}`, largeMib * MIB + version));
  await must(root, ['commit']);
  await must(root, ['run', 'p:make']);
  await commitLocks(root, `Version ${version}`);
}

/** Path of the file that goes in parts. @param {string} root */
export function largeFile(root) {
  return join(root, 'p/raw/large.bin');
}

/** What the locks of a workspace name: digests of roots by out. @param {string} root @returns {Map<string, string>} */
export function lockedRoots(root) {
  const { stages } = JSON.parse(readFileSync(join(root, 'p/sluice-lock.json'), 'utf8'));
  return new Map(
    Object.values(stages).flatMap((stage) =>
      Object.entries(stage.outs).map(([path, { tree, blob = tree }]) => {
        if (typeof blob !== 'string') throw new Error(`the lock of ${root} does not say what ${path} is`);
        return [path, blob];
      }),
    ),
  );
}

/** Bytes that do not compress and follow from a seed: the key stream of a cipher. @param {string} seed @param {number} bytes */
function noise(seed, bytes) {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** @param {string} root @param {string} path @param {string | Uint8Array} content */
function write(root, path, content) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
