// @ts-check
import { measureTree } from '../sets.mjs';
import { expectEqual, seconds } from './row.mjs';

/** @typedef {import('./row.mjs').Bench} Bench */
/** @typedef {import('./row.mjs').Bar} Bar */

/** @type {readonly import('./row.mjs').Row[]} */
export const storeRows = [
  {
    name: 'gc, nothing to do',
    bars: { small: seconds(0.5), medium: seconds(0.5) },
    prepare: async ({ workspaces }) => {
      await workspaces.ensureCommitted();
      await workspaces.inTracked('gc');
    },
    run: ({ workspaces }) => workspaces.inTracked('gc'),
    check: (_, { stdout }) => expectEqual('blobs removed', JSON.parse(stdout).removed.blobs, 0),
    dvc: {
      prepare: ({ dvc }) => dvc.ensureCommitted(),
      run: ({ dvc }) => dvc.inTracked('gc', '--workspace', '--force'),
    },
  },
];

/**
 * A line about bytes instead of time.
 *
 * @typedef {object} SizeRow
 * @property {string} name
 * @property {Readonly<Record<string, Bar>>} bars
 * @property {(bench: Bench) => Promise<{ ours: number, native: number }>} measure
 */

/** What lies under `.sluice` after a first commit, against the bytes of the files. @type {readonly SizeRow[]} */
export const sizeRows = [
  { name: 'bytes under .sluice', bars: { small: { times: 2 } }, measure: (bench) => storeBytes(bench, 'bytes') },
  {
    name: 'blocks under .sluice',
    bars: { small: { times: 2 } },
    measure: (bench) => storeBytes(bench, 'allocatedBytes'),
  },
];

/** The largest process of all rows of a set, in bytes. @type {Readonly<Record<string, Bar>>} */
export const PEAK_BARS = { small: { most: 200 * 1024 * 1024 }, big: { most: 120 * 1024 * 1024 } };

/** @param {Bench} bench @param {'bytes' | 'allocatedBytes'} what */
async function storeBytes({ source, workspaces }, what) {
  await workspaces.bare();
  await workspaces.ensureCommitted();
  return { ours: measureTree(workspaces.trackedStore)[what], native: measureTree(source).bytes };
}
