// @ts-check
import { createDvcRepositories } from './dvc.mjs';
import { settle } from './measure.mjs';
import { judge, median } from './report.mjs';
import { createWorkspaces } from './workspaces.mjs';

/** @typedef {import('./report.mjs').Line} Line */
/** @typedef {import('./rows/row.mjs').Bench} Bench */
/** @typedef {import('./rows/row.mjs').Row} Row */

/** Opens what the rows of one set work with. @param {import('./sets.mjs').DataSet} set @param {string} source @param {import('./work-dir.mjs').WorkDir} workDir @param {string} cli @returns {Bench} */
export function openBench(set, source, workDir, cli) {
  return {
    set,
    source,
    workspaces: createWorkspaces(set, source, workDir, cli),
    dvc: createDvcRepositories(set, source, workDir),
  };
}

/**
 * Measures one row: Sluice and the native command by turns, each from a fresh state.
 *
 * @param {Row} row
 * @param {Bench} bench
 * @param {{ runs: number, workDir: import('./work-dir.mjs').WorkDir, withDvc: boolean }} options
 * @returns {Promise<Line>}
 */
export async function measureRow(row, bench, { runs, workDir, withDvc }) {
  const ours = [];
  const native = [];
  const peaks = [];
  for (let n = 0; n < runs; n++) {
    await row.prepare(bench);
    await settle();
    const measured = await row.run(bench);
    row.check(bench, measured);
    ours.push(measured.seconds);
    if (measured.peakBytes !== undefined) peaks.push(measured.peakBytes);
    if (row.native === undefined) continue;
    await settle();
    const fresh = workDir.fresh();
    native.push((await row.native.run(bench, fresh)).seconds);
    workDir.retire(fresh);
  }
  return lineOf(row, bench.set, {
    unit: 's',
    nativeName: row.native?.name,
    peakBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    dvc: withDvc && row.dvc !== undefined ? await measureDvc(row.dvc, bench) : undefined,
    runs: { ours, native },
  });
}

/** Bytes against bytes. @param {import('./rows/store.mjs').SizeRow} row @param {Bench} bench @returns {Promise<Line>} */
export async function measureSize(row, bench) {
  const { ours, native } = await row.measure(bench);
  return lineOf(row, bench.set, { unit: 'bytes', nativeName: 'the files', runs: { ours: [ours], native: [native] } });
}

/** The line of a row that could not be measured. @param {Pick<Row, 'name' | 'bars'>} row @param {Bench} bench @param {unknown} error @returns {Line} */
export function failedLine(row, bench, error) {
  const line = lineOf(row, bench.set, { unit: 's', runs: { ours: [], native: [] } });
  return { ...line, verdict: 'failed', error: error instanceof Error ? error.message : String(error) };
}

/** @param {NonNullable<Row['dvc']>} dvc @param {Bench} bench */
async function measureDvc(dvc, bench) {
  await dvc.prepare(bench);
  await settle();
  return (await dvc.run(bench)).seconds;
}

/**
 * A line of the table: medians and the verdict.
 *
 * @param {Pick<Row, 'name' | 'bars'>} row
 * @param {import('./sets.mjs').DataSet} set
 * @param {Partial<Line> & Pick<Line, 'unit' | 'runs'>} measured
 * @returns {Line}
 */
export function lineOf(row, set, measured) {
  const { runs } = measured;
  const bar = row.bars[set.name];
  const ours = runs.ours.length === 0 ? undefined : median(runs.ours);
  const native = runs.native.length === 0 ? undefined : median(runs.native);
  const verdict = ours === undefined ? undefined : judge(ours, native, bar);
  return {
    ...{ nativeName: undefined, peakBytes: undefined, dvc: undefined, error: undefined },
    ...{ row: row.name, set: set.name, ours, native, bar, verdict },
    ...measured,
  };
}
