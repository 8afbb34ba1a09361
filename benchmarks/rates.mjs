// @ts-check
// npm run bench -- rates [--quick] [--runs N]: how many tiny files a second are committed, pushed to a directory and fetched from it, each checked by its digest. The time is what the command
// itself says that the work took; the start of its process stands beside it, and so does `cp -r` of the same files.

import { settle } from './measure.mjs';
import { copy } from './native.mjs';
import { median } from './report.mjs';
import { expectEqual } from './rows/row.mjs';
import { ensureSet } from './sets.mjs';
import { makeWorkDir, makeWorkRoot, removeTree } from './work-dir.mjs';
import { createWorkspaces } from './workspaces.mjs';

/** @typedef {import('./sets.mjs').DataSet} DataSet */
/** @typedef {import('./measure.mjs').Measurement} Measurement */
/** @typedef {ReturnType<typeof createWorkspaces>} Workspaces */

/** As many samples as two published runs of another tool have moved, of the same sizes. @type {readonly DataSet[]} */
const SAMPLES = [
  { name: 'samples-117', files: 10_294, folders: 2, leastBytes: 117, mostBytes: 117 },
  { name: 'samples-234', files: 92_650, folders: 109, leastBytes: 234, mostBytes: 234 },
];
/** A quick bench has so many times fewer files. What does not grow with their number weighs more then, so nothing is judged. */
const QUICK = 10;

/**
 * What is measured, in the order in which it can be done.
 *
 * @typedef {object} Step
 * @property {'commit' | 'push' | 'fetch'} name
 * @property {number} least files a second
 * @property {(workspaces: Workspaces) => Promise<void>} prepare
 * @property {(workspaces: Workspaces) => Promise<Measurement>} run
 * @property {(document: any) => number} files that it says it has moved
 */

/** @type {readonly Step[]} */
const STEPS = [
  {
    name: 'commit',
    least: 23_300,
    prepare: (workspaces) => workspaces.bare(),
    run: (workspaces) => workspaces.inTracked('commit'),
    files: ({ stages }) => stages[0].outs[0].files,
  },
  {
    name: 'push',
    least: 28_000,
    prepare: (workspaces) => workspaces.unpushed(),
    run: (workspaces) => workspaces.inTracked('push'),
    files: ({ files }) => files.sent,
  },
  {
    name: 'fetch',
    least: 18_000,
    prepare: (workspaces) => workspaces.freshClone(),
    run: (workspaces) => workspaces.inClone('fetch'),
    files: ({ files }) => files.received,
  },
];

/** @param {{ runs: number, quick: boolean, cli: string }} options @returns {Promise<{ missed: number }>} */
export async function measureRates({ runs, quick, cli }) {
  const counted = { missed: 0 };
  const root = makeWorkRoot();
  try {
    for (const set of SAMPLES.map((samples) => (quick ? fewer(samples) : samples))) {
      const source = ensureSet(set);
      const workDir = makeWorkDir(root, set.name, true);
      const workspaces = createWorkspaces(set, source, workDir, cli);
      console.log(`${text(set.files)} files of ${set.leastBytes} bytes`);
      for (const step of STEPS) {
        const times = await measureStep(step, { set, source, workDir, workspaces, runs });
        tell(counted, step, set, times, quick);
      }
      const { stdout } = await workspaces.inClone('verify', '--deep');
      expectEqual('findings', JSON.parse(stdout).findings.length, 0);
    }
    return counted;
  } finally {
    await removeTree(root);
  }
}

/**
 * Ours and `cp -r` by turns, each from a fresh state; seconds of the work, of the rest of its process, and of the copy.
 *
 * @param {Step} step
 * @param {{ set: DataSet, source: string, workDir: import('./work-dir.mjs').WorkDir, workspaces: Workspaces, runs: number }} bench
 */
async function measureStep(step, { set, source, workDir, workspaces, runs }) {
  /** @type {Record<'work' | 'start' | 'copy', number[]>} */
  const times = { work: [], start: [], copy: [] };
  for (let n = 0; n < runs; n++) {
    await step.prepare(workspaces);
    await settle();
    const { seconds, stdout } = await step.run(workspaces);
    const document = JSON.parse(stdout);
    expectEqual(`files of ${step.name}`, step.files(document), set.files);
    times.work.push(document.ms / 1000);
    times.start.push(seconds - document.ms / 1000);
    await settle();
    const fresh = workDir.fresh();
    times.copy.push((await copy(source, fresh)).seconds);
    workDir.retire(fresh);
  }
  return { work: median(times.work), start: median(times.start), copy: median(times.copy) };
}

/** @param {{ missed: number }} counted @param {Step} step @param {DataSet} set @param {{ work: number, start: number, copy: number }} times @param {boolean} quick */
function tell(counted, { name, least }, { files }, { work, start, copy: native }, quick) {
  const [ours, beside] = [files / work, files / native];
  const isMet = ours >= least;
  if (!isMet && !quick) counted.missed++;
  const verdict = quick ? '' : ` of at least ${text(least)}: ${isMet ? 'ok' : 'missed'}`;
  const parts = [
    `${work.toFixed(2)} s and ${start.toFixed(2)} s to start and end`,
    `cp -r ${text(beside)} files/s`,
    `ratio ${(ours / beside).toFixed(2)}`,
  ];
  console.log(`  ${name.padEnd(6)} ${text(ours).padStart(7)} files/s${verdict}; ${parts.join('; ')}`);
}

/** @param {DataSet} set @returns {DataSet} */
function fewer(set) {
  const perFolder = Math.floor(set.files / set.folders / QUICK);
  return { ...set, name: `${set.name}-quick`, files: perFolder * set.folders };
}

/** @param {number} count */
function text(count) {
  return Math.round(count).toLocaleString('en-US');
}
