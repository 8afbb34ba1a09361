// @ts-check

/** @typedef {import('../measure.mjs').Measurement} Measurement */

/**
 * How much a row may take: so many times the native command, or so much.
 *
 * @typedef {{ readonly times: number } | { readonly most: number }} Bar
 */

/**
 * What a row has to work with, for one set.
 *
 * @typedef {object} Bench
 * @property {import('../sets.mjs').DataSet} set
 * @property {string} source path of the set
 * @property {import('../workspaces.mjs').Workspaces} workspaces
 * @property {import('../dvc.mjs').DvcRepositories} dvc
 */

/**
 * A native command to compare with. `fresh` is a path that does not exist, on the file system of the workspaces.
 *
 * @typedef {object} Native
 * @property {string} name
 * @property {(bench: Bench, fresh: string) => Promise<Measurement>} run
 */

/**
 * One line of the table for each set of `bars`.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {Readonly<Record<string, Bar | undefined>>} bars by set; `undefined` measures without judging
 * @property {Native} [native]
 * @property {(bench: Bench) => Promise<void>} prepare makes the state that the operation starts from; not timed
 * @property {(bench: Bench) => Promise<Measurement>} run
 * @property {(bench: Bench, measured: Measurement) => void} check throws if the operation did not do what is measured
 * @property {{ prepare(bench: Bench): Promise<void>, run(bench: Bench): Promise<Measurement> }} [dvc]
 */

/** @param {number} factor @returns {Bar} */
export function times(factor) {
  return { times: factor };
}

/** @param {number} seconds @returns {Bar} */
export function seconds(seconds) {
  return { most: seconds };
}

/** Throws unless both are equal. @param {string} what @param {unknown} actual @param {unknown} expected */
export function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${expected} expected, got ${actual}`);
}
