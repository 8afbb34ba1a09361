// @ts-check
// A store on a disk that is really full, and one that is really read-only: `npm run test:full`. The disk is a tmpfs that the script mounts, which takes
// root or a user namespace of Linux. After each failure the store must verify, what was committed must be there byte for byte, and the same command must work
// once there is room.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIB = 1024 * 1024;
const SELF = fileURLToPath(import.meta.url);
const CLI = fileURLToPath(new URL('../packages/cli/bundle/bin.js', import.meta.url));
const INSIDE = 'SLUICE_TEST_FULL_INSIDE';

if (process.env[INSIDE] === undefined) enterNamespace();
else run();

/** Mounts are made in a namespace of their own, so that they go with it whatever happens. */
function enterNamespace() {
  const words = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m'];
  const child = spawnSync('unshare', [...words, process.execPath, SELF], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  if (child.error !== undefined)
    console.error(`full: cannot make a namespace for a small disk: ${child.error.message}`);
  process.exitCode = child.status ?? 1;
}

function run() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-full-'));
  const disk = join(folder, 'disk');
  const root = join(folder, 'workspace');
  try {
    mkdirSync(disk);
    must('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    fullStore(root, disk);
    readOnlyStore(root, disk);
    fullWorkspace(join(disk, 'workspace'), join(folder, 'store'), disk);
    console.log('full: nothing was lost on a full disk, nor on a read-only one');
  } finally {
    spawnSync('umount', [disk]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} root @param {string} disk */
function fullStore(root, disk) {
  makeWorkspace(root, join(disk, 'store'));
  const first = writeFiles(root, 2 * MIB);
  expectCode(sluice(root, 'commit'), 0);
  const lock = readFileSync(join(root, 'p/sluice-lock.json'), 'utf8');
  for (const bytes of [12 * MIB, 9 * MIB]) {
    writeFiles(root, bytes);
    expectCode(sluice(root, 'commit'), 4, 'ERR_DISK_FULL');
    writeFileSync(join(root, 'p/raw/one'), randomBytes(bytes));
    expectCode(sluice(root, 'commit'), 4, 'ERR_DISK_FULL');
  }
  expectEqual('lock', readFileSync(join(root, 'p/sluice-lock.json'), 'utf8'), lock);
  expectCode(sluice(root, 'verify', '--deep'), 0);
  expectCode(sluice(root, 'gc'), 0);
  rmSync(join(root, 'p/raw'), { recursive: true });
  expectCode(sluice(root, 'checkout'), 0);
  expectFiles(root, first);
  expectCode(sluice(root, 'verify', '--deep'), 0);
  writeFiles(root, MIB);
  expectCode(sluice(root, 'commit'), 0);
  expectCode(sluice(root, 'verify', '--deep'), 0);
}

/** @param {string} root @param {string} disk */
function readOnlyStore(root, disk) {
  const before = writeFiles(root, MIB);
  expectCode(sluice(root, 'commit'), 0);
  must('mount', ['-o', 'remount,ro', disk]);
  try {
    expectCode(sluice(root, 'status'), 0);
    expectCode(sluice(root, 'verify', '--deep'), 0);
    writeFileSync(join(root, 'p/raw/more'), 'more');
    expectCode(sluice(root, 'commit'), 2, 'ERR_STORE_UNWRITABLE');
    expectCode(sluice(root, 'gc'), 2, 'ERR_STORE_UNWRITABLE');
    rmSync(join(root, 'p/raw/more'));
    expectFiles(root, before);
  } finally {
    must('mount', ['-o', 'remount,rw', disk]);
  }
  writeFileSync(join(root, 'p/raw/more'), 'more');
  expectCode(sluice(root, 'commit'), 0);
  rmSync(join(disk, 'store'), { recursive: true });
}

/** The store has room, the workspace has none. @param {string} root @param {string} store @param {string} disk */
function fullWorkspace(root, store, disk) {
  makeWorkspace(root, store);
  writeFiles(root, 3 * MIB);
  expectCode(sluice(root, 'commit'), 0);
  const earlier = readFileSync(join(root, 'p/sluice-lock.json'));
  const later = writeFiles(root, 2 * MIB);
  expectCode(sluice(root, 'commit'), 0);
  const kept = readFileSync(join(root, 'p/sluice-lock.json'));
  writeFileSync(join(root, 'p/sluice-lock.json'), earlier);
  const ballast = join(disk, 'ballast');
  spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096'], { stdio: 'ignore' });
  expectCode(sluice(root, 'checkout'), 4, 'ERR_DISK_FULL');
  expectFiles(root, later);
  rmSync(ballast);
  expectCode(sluice(root, 'checkout'), 0);
  writeFileSync(join(root, 'p/sluice-lock.json'), kept);
  expectCode(sluice(root, 'checkout'), 0);
  expectFiles(root, later);
}

/** @param {string} root @param {string} store */
function makeWorkspace(root, store) {
  mkdirSync(join(root, 'p'), { recursive: true });
  writeFileSync(join(root, 'nx.json'), '{}');
  writeFileSync(join(root, 'sluice.json'), JSON.stringify({ store }));
  const targets = { raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } } };
  writeFileSync(join(root, 'p/project.json'), JSON.stringify({ name: 'p', targets }));
}

/** Replaces the data by random files, small ones and large ones. @param {string} root @param {number} bytes @returns {Map<string, Buffer>} */
function writeFiles(root, bytes) {
  const files = new Map([['large', randomBytes(bytes / 2)]]);
  for (let i = 0; i < 200; i++) files.set(`small-${i}`, randomBytes(Math.floor(bytes / 400)));
  rmSync(join(root, 'p/raw'), { recursive: true, force: true });
  mkdirSync(join(root, 'p/raw'));
  for (const [name, content] of files) writeFileSync(join(root, 'p/raw', name), content);
  return files;
}

/** @param {string} root @param {Map<string, Buffer>} files */
function expectFiles(root, files) {
  for (const [name, content] of files) {
    const path = join(root, 'p/raw', name);
    if (!existsSync(path) || !readFileSync(path).equals(content)) throw new Error(`${name} is not as it was`);
  }
}

/** @param {string} root @param {string[]} words */
function sluice(root, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], { cwd: root, encoding: 'utf8' });
  return { words, status, output: `${stdout}${stderr}` };
}

/** @param {ReturnType<typeof sluice>} result @param {number} wanted @param {string} [code] */
function expectCode({ words, status, output }, wanted, code = '') {
  if (status === wanted && output.includes(code)) return;
  throw new Error(`sluice ${words.join(' ')} ended with ${status}, not ${wanted} ${code}:\n${output}`);
}

/** @param {string} what @param {unknown} is @param {unknown} wanted */
function expectEqual(what, is, wanted) {
  if (is !== wanted) throw new Error(`${what} is ${is}, not ${wanted}`);
}

/** @param {string} command @param {string[]} words */
function must(command, words) {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr}`);
}
