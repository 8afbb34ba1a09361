// @ts-check
import { createCipheriv, createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Changing either makes other sets, in another folder. */
const SEED = 'sluice';
const VERSION = 1;

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * A set of files to measure with. The bytes come from a cipher with the seed as key, so they are the same everywhere and do not compress.
 *
 * @typedef {object} DataSet
 * @property {string} name
 * @property {number} files
 * @property {number} folders the files lie evenly in so many; 0: the set is one file
 * @property {number} leastBytes size of a file
 * @property {number} mostBytes
 */

/** @type {readonly DataSet[]} */
export const SETS = [
  { name: 'small', files: 70_000, folders: 10, leastBytes: 200, mostBytes: 350 },
  { name: 'medium', files: 20_000, folders: 100, leastBytes: 10 * KIB, mostBytes: 10 * KIB },
  { name: 'links', files: 20_000, folders: 100, leastBytes: 100 * KIB, mostBytes: 100 * KIB },
  { name: 'big', files: 1, folders: 0, leastBytes: 1536 * MIB, mostBytes: 1536 * MIB },
];

/** Where the sets are kept between runs. */
export const SETS_DIR = join(tmpdir(), `sluice-bench-sets-${SEED}-v${VERSION}`);

/** A pseudo-random stream: the key stream of AES in counter mode. @param {string} name */
export function randomStream(name) {
  const key = createHash('sha256').update(`${SEED}-v${VERSION}-${name}`).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  return {
    /** The next bytes, at most 1 MiB. @param {number} sizeBytes */
    next: (sizeBytes) => cipher.update(zeros.subarray(0, sizeBytes)),
  };
}

/** The path of a set, which is made if it is not there, and read once so that it is in the page cache. @param {DataSet} set */
export function ensureSet(set) {
  const path = join(SETS_DIR, set.name);
  if (!existsSync(path)) {
    mkdirSync(SETS_DIR, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    if (set.folders === 0) makeFile(unfinished, set);
    else makeFolders(unfinished, set);
    renameSync(unfinished, path);
  }
  readAll(path);
  return path;
}

/** The path of a file of a set below the set's folder; `''` for a set that is one file. @param {DataSet} set @param {number} index */
export function pathInSet(set, index) {
  if (set.folders === 0) return '';
  const perFolder = set.files / set.folders;
  const folder = String(Math.floor(index / perFolder)).padStart(3, '0');
  return join(folder, `${String(index).padStart(6, '0')}.bin`);
}

/** Files and bytes below a path, and the bytes of the blocks that the file system gave them (folders included). @param {string} path */
export function measureTree(path) {
  const total = { files: 0, bytes: 0, allocatedBytes: 0 };
  /** @param {string} at */
  const add = (at) => {
    const stat = statSync(at);
    total.allocatedBytes += stat.blocks * 512;
    if (stat.isDirectory()) {
      for (const name of readdirSync(at)) add(join(at, name));
    } else {
      total.files++;
      total.bytes += stat.size;
    }
  };
  add(path);
  return total;
}

/** @param {string} path @param {DataSet} set */
function makeFile(path, set) {
  const random = randomStream(set.name);
  const file = openSync(path, 'wx');
  for (let left = set.leastBytes; left > 0; left -= MIB) writeSync(file, random.next(Math.min(MIB, left)));
  closeSync(file);
}

/** @param {string} path @param {DataSet} set */
function makeFolders(path, set) {
  const random = randomStream(set.name);
  for (let index = 0; index < set.files; index++) {
    const file = join(path, pathInSet(set, index));
    if (index % (set.files / set.folders) === 0) mkdirSync(join(file, '..'), { recursive: true });
    const extra = random.next(4).readUInt32LE() % (set.mostBytes - set.leastBytes + 1);
    writeFileSync(file, random.next(set.leastBytes + extra));
  }
}

/** @param {string} path */
function readAll(path) {
  const buffer = Buffer.alloc(MIB);
  /** @param {string} at */
  const read = (at) => {
    if (statSync(at).isDirectory()) {
      for (const name of readdirSync(at)) read(join(at, name));
      return;
    }
    const file = openSync(at, 'r');
    while (readSync(file, buffer) > 0);
    closeSync(file);
  };
  read(path);
}
