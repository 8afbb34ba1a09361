// @ts-check
// The workspaces of the race: each is a lock with the roots of its last commits.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLock, printLock } from '../../packages/engine/dist/model/lock.js';
import { parseRelPath } from '../../packages/engine/dist/model/path.js';

/** @typedef {import('../../packages/engine/dist/model/root.js').OutRoot} OutRoot */

/** Makes a workspace with an empty lock. @param {string} base @param {string} name */
export function makeWorkspace(base, name) {
  mkdirSync(join(base, name));
  writeLock(base, name, []);
}

/** The names of all workspaces. @param {string} base */
export function workspacesIn(base) {
  return readdirSync(base).filter((name) => name !== 'store');
}

/** @param {string} base @param {string} name @param {readonly OutRoot[]} roots */
export function writeLock(base, name, roots) {
  const outs = new Map(roots.map((root, i) => [parseRelPath(`p/out${i}`), root]));
  const stages = new Map([['make', { fingerprint: undefined, parts: [], outs }]]);
  const path = join(base, name, 'sluice-lock.json');
  writeFileSync(`${path}.tmp`, printLock({ stages }));
  renameSync(`${path}.tmp`, path);
}

/** @param {string} base @param {string} name @returns {OutRoot[]} */
export function readLock(base, name) {
  const path = join(base, name, 'sluice-lock.json');
  const { stages } = parseLock(readFileSync(path, 'utf8'), path);
  return [...stages.values()].flatMap(({ outs }) => [...outs.values()]);
}

/** The roots of all locks. @param {string} base */
export function lockedRoots(base) {
  return workspacesIn(base).flatMap((name) =>
    readLock(base, name).map((root) => ({ root, why: `the lock of ${name}` })),
  );
}
