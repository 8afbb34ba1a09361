// @ts-check
// Writers and collections in one store at the same time: `npm run test:race`, or
// `node scripts/race.mjs --seconds 3 --writers 4 --no-kill`.
// Each writer is a process with a workspace of its own; it commits random trees, reuses the roots of others, and reads what its
// lock names after each commit. One process collects in a loop. Processes are killed now and then, and started again.
// Prints one line; fails if anything that a lock names is missing or damaged, or if more than that is left in the end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { storeStat } from '../packages/engine/dist/store/stat.js';
import { openStore } from '../packages/engine/dist/store/store.js';
import { verifyStore } from '../packages/engine/dist/store/verify.js';
import { collectLoop, collectOnce } from './race/collector.mjs';
import { lockedRoots, makeWorkspace } from './race/workspace.mjs';
import { writeLoop } from './race/writer.mjs';

/** What a child counts; it sends its counts whenever they change. @typedef {Record<string, number>} Counts */

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    dir: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    writers: { type: 'string', default: '4' },
    'no-kill': { type: 'boolean', default: false },
  },
});

const { dir, name } = values;
if (values.role === 'writer') run(writeLoop(dir, name, report));
else if (values.role === 'collector') run(collectLoop(dir, report));
else run(race(Number(values.seconds), Number(values.writers), !values['no-kill']));

/** @param {number} seconds @param {number} writers @param {boolean} kill */
async function race(seconds, writers, kill) {
  const base = mkdtempSync(join(tmpdir(), 'sluice-race-'));
  const names = Array.from({ length: writers }, (_, i) => `w${i}`);
  for (const workspace of names) makeWorkspace(base, workspace);
  /** @type {Counts} */
  const total = {};
  /** Set when all processes have begun, so that a slow machine races no less. */
  let end = Number.POSITIVE_INFINITY;
  let notReady = writers + 1;
  await Promise.all([
    ...names.map((workspace) => keepRunning(['--role', 'writer', '--name', workspace], 6000)),
    keepRunning(['--role', 'collector'], 4000),
  ]);
  const problems = await finalProblems(base);
  const { broken = 0, commits = 0, collections = 0, removed = 0, kills = 0, failures = 0 } = total;
  console.log(
    `race: ${commits} commits, ${collections} collections, ${removed} objects removed, ${kills} kills, ${failures} failures, ${broken} broken references`,
  );
  for (const problem of problems) console.log(`race: ${problem}`);
  rmSync(base, { recursive: true, force: true });
  const isGood = broken === 0 && failures === 0 && problems.length === 0 && commits > 0 && collections > 0;
  process.exitCode = isGood ? 0 : 1;

  /** Starts a child again and again; each lives for a random time up to `lifeMs` from its first message. @param {string[]} args @param {number} lifeMs */
  async function keepRunning(args, lifeMs) {
    for (let lives = 0; Date.now() < end; lives++) {
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--dir', base, ...args], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      /** @type {Counts} */
      let last = {};
      child.on('message', (/** @type {any} */ counts) => {
        last = counts;
      });
      const ended = once(child, 'exit');
      await Promise.race([ended, once(child, 'message')]);
      if (lives === 0 && --notReady === 0) end = Date.now() + seconds * 1000;
      const dies = Date.now() + (kill ? Math.random() * lifeMs : Number.POSITIVE_INFINITY);
      while (child.exitCode === null && Date.now() < Math.min(dies, end)) await Promise.race([ended, sleep(20)]);
      if (child.exitCode === null) {
        const isEnd = Date.now() >= end;
        child.kill(isEnd ? 'SIGTERM' : 'SIGKILL');
        if (!isEnd) last = { ...last, kills: 1 };
        await ended;
      } else last = { ...last, failures: 1 };
      for (const [key, count] of Object.entries(last)) total[key] = (total[key] ?? 0) + count;
    }
  }
}

/** What is wrong when all have ended and one more collection has run. @param {string} base */
async function finalProblems(base) {
  const store = openStore({ dir: join(base, 'store'), durability: 'none' });
  const problems = [];
  const before = await verifyStore(store, { deep: true, roots: lockedRoots(base) });
  for (const { ref, absent } of before.incomplete)
    problems.push(`before the last collection ${absent} objects of ${ref.why} are missing`);
  await collectOnce(base, store);
  const { findings, incomplete } = await verifyStore(store, { deep: true, roots: lockedRoots(base) });
  for (const { problem } of findings) problems.push(problem.message);
  for (const { ref, absent } of incomplete) problems.push(`${absent} objects of ${ref.why} are missing`);
  const report = await collectOnce(base, store);
  const kept = report.kept.blobs + report.kept.trees;
  const { objects } = storeStat(store);
  if (objects !== kept) problems.push(`${objects} objects are left, but only ${kept} are named`);
  for (const folder of ['tmp', 'trash', 'leases']) {
    const left = readdirSync(join(base, 'store', folder));
    if (left.length > 0) problems.push(`${folder}/ holds ${left.join(', ')}`);
  }
  store.close();
  return problems;
}

/** @param {Counts} counts */
function report(counts) {
  process.send?.(counts);
}

/** @param {Promise<void>} work */
function run(work) {
  process.once('SIGTERM', () => process.exit(0));
  work.catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
