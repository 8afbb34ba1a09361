// @ts-check
// What each pusher of the race has committed last: collections keep it, as they keep what the locks of a workspace name.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('../../packages/engine/dist/model/root.js').OutRoot} OutRoot */

/** What a pusher has committed last, and the last of it whose push has ended. @typedef {{ root: OutRoot, pushed: OutRoot | undefined }} Lock */

/** @param {string} base @param {string} name @param {Lock} lock */
export function writeLock(base, name, lock) {
  const path = join(base, 'locks', name);
  writeFileSync(`${path}.new`, JSON.stringify(lock));
  renameSync(`${path}.new`, path);
}

/** @param {string} base @param {string} name @returns {Lock | undefined} */
export function readLock(base, name) {
  return existsSync(join(base, 'locks', name))
    ? JSON.parse(readFileSync(join(base, 'locks', name), 'utf8'))
    : undefined;
}

/** The locks of all pushers, by their names. @param {string} base @returns {Map<string, Lock>} */
export function locksOf(base) {
  const names = readdirSync(join(base, 'locks')).filter((name) => !name.endsWith('.new'));
  return new Map(
    names.flatMap((name) => {
      const lock = readLock(base, name);
      return lock === undefined ? [] : [[name, lock]];
    }),
  );
}
