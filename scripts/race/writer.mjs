// @ts-check
// A process of the race that commits: random trees over a small pool of contents, so that most of them exist already or existed a moment ago.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestFromRaw, rawDigestOf, rawOf } from '../../packages/engine/dist/model/digest.js';
import { encodeDirectory } from '../../packages/engine/dist/model/split.js';
import { completeness } from '../../packages/engine/dist/store/complete.js';
import { openStore } from '../../packages/engine/dist/store/store.js';
import { walkTree } from '../../packages/engine/dist/store/trees.js';
import { readLock, workspacesIn, writeLock } from './workspace.mjs';

/** @typedef {import('../../packages/engine/dist/model/root.js').OutRoot} OutRoot */
/** @typedef {import('../../packages/engine/dist/store/store.js').Store} Store */
/** @typedef {import('../../packages/engine/dist/store/ingest.js').Ingestor} Ingestor */

const CONTENTS = 150;
const OUTS = 2;

/** @param {string} base @param {string} name @param {(counts: Record<string, number>) => void} report @returns {Promise<void>} */
export async function writeLoop(base, name, report) {
  const store = openStore({ dir: join(base, 'store'), durability: 'none' });
  const names = workspacesIn(base);
  let roots = readLock(base, name);
  // What was locked before this process, or the one before it, was killed.
  let broken = countBroken(store, roots, name);
  report({ broken });
  for (let commits = 1; ; commits++) {
    const donor = pick(names) ?? name;
    roots = await store.write(async (session) => {
      const reused = Math.random() < 0.2 ? reuse(store, session.lease, readLock(base, donor)) : undefined;
      const ingestor = session.ingestor(Math.random() < 0.5);
      const root = reused ?? addTree(ingestor, 2 + random(30), true);
      session.publish([ingestor.finish()]);
      if (Math.random() < 0.3) await sleep(random(10));
      const next = [root, ...roots].slice(0, OUTS);
      writeLock(base, name, next);
      return next;
    });
    broken += countBroken(store, roots, name);
    report({ commits, broken });
    if (Math.random() < 0.2) await sleep(random(20));
  }
}

/**
 * Takes a root that somebody else's lock names, as a restore from a record does: the lease first, then the question whether all of it is here.
 * @param {Store} store @param {{ append(raw: Buffer): void }} lease @param {readonly OutRoot[]} roots @returns {OutRoot | undefined}
 */
function reuse(store, lease, roots) {
  const root = pick(roots);
  if (root === undefined) return undefined;
  lease.append(rawOf(root.digest));
  store.reader.catalog.refresh();
  return completeness(store.reader, root) === 'complete' ? root : undefined;
}

/** @param {Ingestor} ingestor @param {number} count @param {boolean} isTop @returns {OutRoot} */
function addTree(ingestor, count, isTop) {
  const names = Array.from({ length: count }, (_, i) => `f${String(i).padStart(3, '0')}`);
  const columns = {
    names,
    kinds: new Uint8Array(count),
    sizes: new Float64Array(count),
    files: new Float64Array(count).fill(1),
    digests: Buffer.alloc(count * 32),
  };
  for (let i = 0; i < count; i++) {
    const isDirectory = isTop && Math.random() < 0.1;
    const child = isDirectory ? addTree(ingestor, 1 + random(4), false) : addBlob(ingestor, random(CONTENTS));
    columns.kinds[i] = isDirectory ? 3 : 0;
    columns.sizes[i] = child.bytes;
    columns.files[i] = child.files;
    rawOf(child.digest).copy(columns.digests, i * 32);
  }
  const { top, parts, files, bytes } = encodeDirectory(columns);
  for (const part of parts) ingestor.addBytes('tree', part.bytes, part.raw, 0, true);
  ingestor.addBytes('tree', top.bytes, top.raw, 0);
  return { kind: 'tree', digest: digestFromRaw(top.raw), exec: false, files, bytes };
}

/** @param {Ingestor} ingestor @param {number} number @returns {OutRoot} */
function addBlob(ingestor, number) {
  const bytes = Buffer.from(`content ${number} `.repeat(1 + (number % 50)));
  const raw = rawDigestOf(bytes);
  ingestor.addBytes('blob', bytes, raw, 0);
  return { kind: 'blob', digest: digestFromRaw(raw), exec: false, files: 1, bytes: bytes.length };
}

/** How many objects below the roots cannot be read. @param {Store} store @param {readonly OutRoot[]} roots @param {string} name */
function countBroken(store, roots, name) {
  let broken = 0;
  for (const root of roots) {
    try {
      for (const { kinds, digests } of walkTree(store.reader, root.digest)) {
        for (let i = 0; i < kinds.length; i++) {
          if (kinds[i] !== 3) store.reader.read('blob', digests, i * 32);
        }
      }
    } catch (error) {
      broken++;
      console.error(`${name}: ${error}`);
    }
  }
  return broken;
}

/** @param {number} below */
function random(below) {
  return Math.floor(Math.random() * below);
}

/** @template T @param {readonly T[]} list @returns {T | undefined} */
function pick(list) {
  return list[random(list.length)];
}
