// @ts-check
// npm run bench [-- WORD… --runs N --json FILE --strict]: measures Sluice beside native commands; see README.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { failedLine, lineOf, measureRow, measureSize, openBench } from './bench.mjs';
import { dvcVersion } from './dvc.mjs';
import { measureHistory } from './history.mjs';
import { inRepository, run, stopRunning } from './measure.mjs';
import { measureNx } from './nx.mjs';
import { measureRates } from './rates.mjs';
import { createTable } from './report.mjs';
import { checkoutRows } from './rows/checkout.mjs';
import { commitRows } from './rows/commit.mjs';
import { stageRows } from './rows/stage.mjs';
import { PEAK_BARS, sizeRows, storeRows } from './rows/store.mjs';
import { transferRows } from './rows/transfer.mjs';
import { measureS3, S3_WORDS } from './s3.mjs';
import { ensureSet, SETS } from './sets.mjs';
import { makeWorkDir, makeWorkRoot, removeTree, removeTreeNow } from './work-dir.mjs';

/** @typedef {import('./report.mjs').Line} Line */

const ROWS = [...commitRows, ...checkoutRows, ...transferRows, ...stageRows, ...storeRows];

const { values, positionals } = readArguments();
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) stop(`--runs takes a whole number from 1, not ${values.runs}`);
if (!existsSync(values.cli)) stop(`${values.cli} does not exist; build it: npm run build`);

if (positionals.includes('nx')) {
  await measureNx(runs);
  process.exit();
}

if (positionals[0] === 'history') {
  const { missed } = await measureHistory({ runs, cli: values.cli });
  process.exit(values.strict && missed > 0 ? 1 : 0);
}

if (positionals[0] === 'rates') {
  await refuseOtherTools();
  const { missed } = await measureRates({ runs, quick: values.quick, cli: values.cli });
  process.exit(values.strict && missed > 0 ? 1 : 0);
}

if (positionals[0] === 's3') {
  const words = positionals.slice(1);
  const unknown = words.find((word) => !S3_WORDS.includes(word));
  if (unknown !== undefined) stop(`nothing of S3 is called ${unknown}; there are: ${S3_WORDS.join(', ')}`);
  const { missed } = await measureS3({ runs, quick: values.quick, cli: values.cli, words });
  process.exit(values.strict && missed > 0 ? 1 : 0);
}

const setWords = positionals.filter((word) => SETS.some(({ name }) => name === word));
const rowWords = positionals.filter((word) => !setWords.includes(word));
for (const word of rowWords) {
  if (![...ROWS, ...sizeRows].some(({ name }) => name.includes(word))) {
    stop(`no set or row is called ${word}; sets: ${names(SETS)}; rows: ${names([...ROWS, ...sizeRows])}`);
  }
}
await refuseOtherTools();

const workRoot = makeWorkRoot();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    stopRunning();
    removeTreeNow(workRoot);
    process.exit(130);
  });
}

const dvc = dvcVersion();
const table = createTable(dvc !== undefined, (text) => console.log(text));
/** @type {Line[]} */
const lines = [];
console.log(
  `node ${process.versions.node}, linux ${release()}, ${availableParallelism()} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}` +
    `${dvc === undefined ? '' : `, dvc ${dvc}`}; median of ${runs}`,
);
table.head();
try {
  for (const set of SETS) await measureSet(set);
} finally {
  console.error('deleting the workspaces');
  await removeTree(workRoot);
}
if (values.json !== undefined) {
  const about = { node: process.versions.node, kernel: release(), cores: availableParallelism(), dvc, runs };
  writeFileSync(values.json, `${JSON.stringify({ schema: 1, ...about, lines }, undefined, 2)}\n`);
}
const missed = lines.filter(({ verdict }) => verdict === 'missed').length;
const failed = lines.filter(({ verdict }) => verdict === 'failed').length;
console.log(`${lines.filter(({ verdict }) => verdict === 'ok').length} ok, ${missed} missed, ${failed} failed`);
process.exitCode = failed > 0 || (values.strict && missed > 0) ? 1 : 0;

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: 'string', default: '3' },
        json: { type: 'string' },
        strict: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        cli: { type: 'string', default: publishedCli() },
      },
    });
  } catch (error) {
    return stop(
      `${error instanceof Error ? error.message : error}\nusage: npm run bench [-- WORD… --runs N --json FILE --strict --quick --cli FILE]`,
    );
  }
}

/** All chosen rows of a set. A row that fails does not stop the others, but none of them gets what it left behind. @param {import('./sets.mjs').DataSet} set */
async function measureSet(set) {
  if (setWords.length > 0 && !setWords.includes(set.name)) return;
  const rows = [...ROWS, ...sizeRows].filter(
    ({ name, bars }) => set.name in bars && (rowWords.length === 0 || rowWords.some((word) => name.includes(word))),
  );
  if (rows.length === 0) return;
  const source = ensureSet(set);
  let workDir = makeWorkDir(workRoot, set.name, set.files > 1);
  let bench = openBench(set, source, workDir, values.cli);
  const peaks = [];
  for (const row of rows) {
    /** @type {Line} */
    let line;
    try {
      line =
        'measure' in row
          ? await measureSize(row, bench)
          : await measureRow(row, bench, { runs, workDir, withDvc: dvc !== undefined });
    } catch (error) {
      line = failedLine(row, bench, error);
      workDir = makeWorkDir(workRoot, set.name, set.files > 1);
      bench = openBench(set, source, workDir, values.cli);
    }
    if (line.peakBytes !== undefined) peaks.push(line.peakBytes);
    add(line);
  }
  if (peaks.length > 0 && set.name in PEAK_BARS) add(peakLine(set, Math.max(...peaks)));
}

/** @param {import('./sets.mjs').DataSet} set @param {number} peakBytes @returns {Line} */
function peakLine(set, peakBytes) {
  return lineOf({ name: 'peak RSS of the rows above', bars: PEAK_BARS }, set, {
    unit: 'bytes',
    runs: { ours: [peakBytes], native: [] },
  });
}

/** @param {Line} line */
function add(line) {
  lines.push(line);
  table.line(line);
}

/** The file that `sluice` starts. */
function publishedCli() {
  const { bin } = JSON.parse(readFileSync(inRepository('packages/cli/package.json'), 'utf8'));
  return inRepository(`packages/cli/${bin.sluice}`);
}

/** The native commands are those of GNU; elsewhere there is nothing to compare with. */
async function refuseOtherTools() {
  for (const tool of ['find', 'cp', 'sync', 'git']) {
    const said = await run(tool, ['--version']).then(
      ({ stdout }) => stdout,
      () => '',
    );
    if (!/GNU|git version/.test(said)) stop(`${tool} is missing, or is not that of GNU: the bench runs on Linux`);
  }
}

/** @param {readonly { name: string }[]} things */
function names(things) {
  return [...new Set(things.map(({ name }) => name))].join(', ');
}

/** @param {string} problem @returns {never} */
function stop(problem) {
  console.error(`bench: ${problem}`);
  process.exit(2);
}
