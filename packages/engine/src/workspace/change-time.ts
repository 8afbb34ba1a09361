import type { Stats } from 'node:fs';
import { SEAL_SECONDS } from '../store/loose.js';

/**
 * The change time by which a file is compared, in ms. A hard link to an object of the store has none (0): each further link to the object moves its change
 * time, while writing into it moves the time of its seal.
 */
export function changeTime(stat: Pick<Stats, 'ctimeMs' | 'mtimeMs' | 'nlink'>): number {
  return stat.mtimeMs === SEAL_SECONDS * 1000 && stat.nlink > 1 ? 0 : stat.ctimeMs;
}
