// @ts-check
// npm run bench -- history: how long the commands take that read history, in a workspace of 300 commits of 20 outs, beside `git log` of the same locks, and what a clone
// moves to list 100,000 files.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@sluice/engine';
import { makeHistory } from '../scripts/history/make-history.mjs';
import { run } from './measure.mjs';
import { median } from './report.mjs';
import { expectEqual } from './rows/row.mjs';

const COMMITS = 300;
const OUTS = 20;
/** Each whole process, warm. */
const MOST_SECONDS = 1;
const LISTED_FILES = 100_000;
const MOST_LISTED_BYTES = 6_000_000;

/** @param {{ runs: number, cli: string }} options @returns {Promise<{ missed: number }>} */
export async function measureHistory({ runs, cli }) {
  const top = mkdtempSync(join(tmpdir(), 'sluice-bench-history-'));
  const counted = { missed: 0 };
  try {
    const root = join(top, 'workspace');
    mkdirSync(root);
    console.error(`making ${COMMITS} commits of ${OUTS} outs`);
    await makeHistory(root, { commits: COMMITS, outs: OUTS, openEngine });
    const git = await timed(runs, () =>
      run('git', ['log', '--raw', '--format=%H', '--', ':(glob)**/sluice-lock.json'], { cwd: root, discard: true }),
    );
    console.log(`git log of the locks: ${git.toFixed(2)} s`);
    for (const [args, check] of COMMANDS) {
      const start = () => run(process.execPath, [cli, '--json', ...args], { cwd: root });
      check(JSON.parse((await start()).stdout));
      tell(counted, `sluice ${args.join(' ')}`, await timed(runs, start), MOST_SECONDS, 's');
    }
    await measureListing(top, cli, counted);
    return counted;
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** Each with what its document has to hold. @type {readonly (readonly [args: readonly string[], check: (document: any) => void])[]} */
const COMMANDS = [
  [['log'], ({ commits }) => expectEqual('commits', commits.length, COMMITS)],
  [['log', 'p1:d1', '--stat', '--graph'], ({ commits }) => expectEqual('commits', commits.length, COMMITS / OUTS + 1)],
  [['diff', `HEAD~${COMMITS - 1}`], ({ outs }) => expectEqual('outs', outs.length, OUTS)],
  [['summary'], ({ outs }) => expectEqual('outs', outs.length, OUTS)],
  [['blame', 'p1:d1'], ({ files }) => expectEqual('files', files.length > 20, true)],
  [['ls'], ({ outs }) => expectEqual('outs', outs.length, OUTS)],
];

/** What a clone moves to list many files, and how long it takes when the trees are there. @param {string} top @param {string} cli @param {{ missed: number }} counted */
async function measureListing(top, cli, counted) {
  const root = join(top, 'many');
  const raw = join(root, 'p/raw');
  console.error(`making ${LISTED_FILES} files`);
  for (let i = 0; i < LISTED_FILES; i++) {
    const directory = join(raw, String(Math.floor(i / 500)).padStart(3, '0'));
    if (i % 500 === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `img_${String(i).padStart(6, '0')}.jpeg`), String(i % 1000));
  }
  const options = { outs: ['{projectRoot}/raw'] };
  writeFileSync(join(root, 'nx.json'), '{}');
  writeFileSync(
    join(root, 'p/project.json'),
    JSON.stringify({ name: 'p', targets: { raw: { executor: '@sluice/nx:track', options } } }),
  );
  execFileSync('git', ['init', '--quiet', root]);
  /** @param {...string} args */
  const sluice = (...args) => run(process.execPath, [cli, ...args], { cwd: root });
  await sluice('init', '--remote', 'file:../remote');
  await sluice('commit');
  await sluice('push');
  rmSync(join(root, '.sluice'), { recursive: true });
  rmSync(raw, { recursive: true });
  const traced = join(top, 'trace');
  const env = { BENCH_READS_FILE: traced };
  const hook = new URL('./count-reads.mjs', import.meta.url).href;
  const fresh = await run(process.execPath, ['--import', hook, cli, 'ls', '--json'], {
    cwd: root,
    env: { ...env, BENCH_READS_BELOW: join(top, 'remote') },
  });
  expectEqual('listed', JSON.parse(fresh.stdout).files, LISTED_FILES);
  tell(
    counted,
    `ls of ${LISTED_FILES} files in a clone, bytes from the remote`,
    Number(readFileSync(traced, 'utf8')),
    MOST_LISTED_BYTES,
    'bytes',
  );
  tell(counted, `ls of ${LISTED_FILES} files, first`, fresh.seconds, MOST_SECONDS, 's');
  tell(counted, `ls of ${LISTED_FILES} files, again`, await timed(3, () => sluice('ls')), MOST_SECONDS, 's');
}

/** @param {number} runs @param {() => Promise<{ seconds: number }>} action */
async function timed(runs, action) {
  const times = [];
  for (let i = 0; i < runs; i++) times.push((await action()).seconds);
  return median(times);
}

/** @param {{ missed: number }} counted @param {string} what @param {number} measured @param {number} bar @param {'s' | 'bytes'} unit */
function tell(counted, what, measured, bar, unit) {
  const isMet = measured <= bar;
  if (!isMet) counted.missed++;
  console.log(
    `${what}: ${unit === 's' ? measured.toFixed(2) : measured} of at most ${bar} ${unit}: ${isMet ? 'ok' : 'missed'}`,
  );
}
