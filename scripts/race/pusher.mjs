// @ts-check
// A process of the race that pushes random trees over a pool of folders, so that most of what they hold was pushed by somebody before.
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestFromRaw, parseDigest, rawDigestOf, rawOf } from '../../packages/engine/dist/model/digest.js';
import { encodeDirectory } from '../../packages/engine/dist/model/split.js';
import { Auditor } from '../../packages/engine/dist/remote/audit.js';
import { pushRoots } from '../../packages/engine/dist/remote/push.js';
import { openStore } from '../../packages/engine/dist/store/store.js';
import { readLock, writeLock } from './locks.mjs';
import { openRaceRemote, PAUSE_MS } from './remote-place.mjs';

/** @typedef {import('../../packages/engine/dist/model/root.js').OutRoot} OutRoot */
/** @typedef {import('../../packages/engine/dist/store/ingest.js').Ingestor} Ingestor */
/** @typedef {import('../../packages/engine/dist/store/store.js').Store} Store */

const FOLDERS = 4;
const FILES = 24;
const WIDE_FILES = 240;
const LARGE_BYTES = 8 * 1024 * 1024;

/** @param {string} base @param {string} name @param {(counts: Record<string, number>) => void} report @returns {Promise<void>} */
export async function pushLoop(base, name, report) {
  const store = openStore({ dir: join(base, name), durability: 'none' });
  const counts = { pushes: 0, given: 0, broken: 0 };
  report(counts);
  // Who was killed goes on with what its lock names.
  let again = readLock(base, name);
  let before = again?.pushed;
  for (;;) {
    const root = again !== undefined && again.root.digest !== before?.digest ? again.root : await makeRoot(store);
    again = undefined;
    appendFileSync(join(base, 'roots', name), `${root.digest}\n`);
    writeLock(base, name, { root, pushed: before });
    const remote = openRaceRemote(base, store);
    try {
      await pushRoots({ remote, store, roots: [{ root, previous: before === undefined ? [] : [before] }] });
    } catch (error) {
      // A collection that was killed is in the way for a while, and a process that is stopped again and again never comes to write in time; the push says so and writes nothing.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ERR_HELD' && !(code === 'ERR_REMOTE_DOWN' && /keeps losing/.test(String(error)))) throw error;
      counts.given++;
      report(counts);
      continue;
    }
    counts.pushes++;
    writeLock(base, name, { root, pushed: root });
    const auditor = new Auditor({ remote: openRaceRemote(base, store), reader: store.reader });
    const problems = await auditor.problemsOf('shared', root.digest);
    // A lock names it, so it stays, for however long this process was stopped meanwhile.
    if (problems === undefined || problems.length > 0) {
      counts.broken++;
      console.error(
        `${name}: ${root.digest} was pushed and is ${problems === undefined ? 'gone' : problems[0]?.error}`,
      );
    }
    report(counts);
    before = root;
    if (Math.random() < 0.3) await sleep(Math.random() * PAUSE_MS);
  }
}

/** @param {Store} store @returns {Promise<OutRoot>} */
function makeRoot(store) {
  return store.write(async (session) => {
    const ingestor = session.ingestor(true);
    const made = addTop(ingestor);
    session.publish([ingestor.finish()]);
    return made;
  });
}

/** Every root that any pusher has ever named. @param {string} base */
export function namedRoots(base) {
  return readdirSync(join(base, 'roots')).flatMap((name) =>
    readFileSync(join(base, 'roots', name), 'utf8')
      .split('\n')
      .filter((line) => line.length === 71)
      .map((line) => parseDigest(line)),
  );
}

/** @param {Ingestor} ingestor @returns {OutRoot} */
function addTop(ingestor) {
  const folders = Array.from({ length: 1 + random(2) }, () => random(FOLDERS));
  /** @type {[string, OutRoot][]} */
  const entries = [...new Set(folders)].map((folder) => [
    `d${String(folder).padStart(2, '0')}`,
    addFolder(ingestor, folder),
  ]);
  entries.push(['own', addBlob(ingestor, Buffer.from(`own ${random(2)}`))]);
  if (Math.random() < 0.5) entries.push(['wide', addWide(ingestor)]);
  if (Math.random() < 0.1)
    entries.push(['zlarge', addBlob(ingestor, Buffer.alloc(LARGE_BYTES, `large ${random(3)} `))]);
  return addTree(
    ingestor,
    entries.sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** @param {Ingestor} ingestor @param {number} folder @returns {OutRoot} */
function addFolder(ingestor, folder) {
  const version = random(2);
  return addTree(
    ingestor,
    Array.from({ length: FILES }, (_, i) => {
      const content = `folder ${folder} file ${i} ${i < 3 ? `version ${version}` : ''} `.repeat(20 + i);
      return [`f${String(i).padStart(2, '0')}`, addBlob(ingestor, Buffer.from(content))];
    }),
  );
}

/** So many files that of another version only what is new in its node is sent. @param {Ingestor} ingestor @returns {OutRoot} */
function addWide(ingestor) {
  const changed = random(6);
  return addTree(
    ingestor,
    Array.from({ length: WIDE_FILES }, (_, i) => {
      const content = `wide file ${i} ${i % 40 === changed ? 'changed' : ''}`;
      return [`f${String(i).padStart(3, '0')}`, addBlob(ingestor, Buffer.from(content))];
    }),
  );
}

/** @param {Ingestor} ingestor @param {[string, OutRoot][]} entries @returns {OutRoot} */
function addTree(ingestor, entries) {
  const columns = {
    names: entries.map(([name]) => name),
    kinds: Uint8Array.from(entries, ([, { kind }]) => (kind === 'tree' ? 3 : 0)),
    sizes: Float64Array.from(entries, ([, { bytes }]) => bytes),
    files: Float64Array.from(entries, ([, { files }]) => files),
    digests: Buffer.concat(entries.map(([, { digest }]) => rawOf(digest))),
  };
  const { top, parts, files, bytes } = encodeDirectory(columns);
  for (const part of parts) ingestor.addBytes('tree', part.bytes, part.raw, 0, true);
  ingestor.addBytes('tree', top.bytes, top.raw, 0);
  return { kind: 'tree', digest: digestFromRaw(top.raw), exec: false, files, bytes };
}

/** @param {Ingestor} ingestor @param {Buffer} content @returns {OutRoot} */
function addBlob(ingestor, content) {
  const raw = rawDigestOf(content);
  if (content.length < 64 * 1024) ingestor.addBytes('blob', content, raw, 0);
  else {
    const arriving = ingestor.beginBlob(raw, 0);
    arriving?.write(content);
    arriving?.finish();
  }
  return { kind: 'blob', digest: digestFromRaw(raw), exec: false, files: 1, bytes: content.length };
}

/** @param {number} below */
function random(below) {
  return Math.floor(Math.random() * below);
}
