// @ts-check
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './run-tool.mjs';

/** Where tools keep what can be deleted at any time. */
export const CACHE = join(ROOT, 'node_modules/.cache/sluice');

/** Longer than anything that is done under a lock; one that is older was left behind. */
const LEFT_BEHIND_MS = 180_000;

/**
 * Does something in one process of this machine at a time.
 * @template T
 * @param {string} name
 * @param {() => T} action
 * @param {{ folder?: string, leftBehindMs?: number }} [options] where the lock lies, and when nobody can hold it any more
 * @returns {Promise<T>}
 */
export async function withLock(name, action, { folder = CACHE, leftBehindMs = LEFT_BEHIND_MS } = {}) {
  const lock = join(folder, `${name}.lock`);
  mkdirSync(folder, { recursive: true });
  while (!take(lock, leftBehindMs)) await sleep(200);
  try {
    return action();
  } finally {
    rmdirSync(lock);
  }
}

/** @param {string} lock @param {number} leftBehindMs */
function take(lock, leftBehindMs) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    // Not `instanceof Error`: jest's tests have a realm of their own.
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - since > leftBehindMs) rmdirSync(lock);
  return false;
}
