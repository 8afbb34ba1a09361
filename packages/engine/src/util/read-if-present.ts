import { readFileSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.js';

/** The text of a file, or `undefined` when there is no file of this name. Throws the system error for anything else. */
export function readIfPresent(path: string): string | undefined {
  try {
    // Mostly there is none, and asking first costs less than an error.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
