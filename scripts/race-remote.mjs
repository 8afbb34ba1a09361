// @ts-check
// Pushers and collections on one remote at the same time: `npm run test:race`, or
// `node scripts/race-remote.mjs --seconds 20 --pushers 3 --no-kill`; with `--s3` in a bucket of a local S3 server.
// Each pusher is a process with a store of its own; it pushes random trees that share files with those of others. Two processes collect in a loop, with
// times that are a few thousand times shorter than the real ones, and for each of them other roots are dead. Processes are killed, and stopped for a while, now and then.
// Prints one line; fails if any map that exists names what does not, if what was just pushed or a lock names is not whole there, whoever was killed, or if anything is left when all is dead.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pushLoop } from './race/pusher.mjs';
import { collectAll, collectRemoteLoop } from './race/remote-collector.mjs';
import {
  COLLECTOR_LIFE_MS,
  keysOn,
  lostLocks,
  problemsOn,
  pushLocks,
  startRaceServer,
  TIMES,
} from './race/remote-place.mjs';

/** What a child counts; it sends its counts whenever they change. @typedef {Record<string, number>} Counts */

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    dir: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    pushers: { type: 'string', default: '3' },
    'no-kill': { type: 'boolean', default: false },
    s3: { type: 'boolean', default: false },
  },
});

const { dir, name } = values;
if (values.role === 'pusher') run(pushLoop(dir, name, report));
else if (values.role === 'collector') run(collectRemoteLoop(dir, report));
else if (values.s3 && process.env.SLUICE_RACE_S3 === undefined) run(raceInBucket());
else run(race(Number(values.seconds), Number(values.pushers), !values['no-kill']));

/** @param {number} seconds @param {number} pushers @param {boolean} kill */
async function race(seconds, pushers, kill) {
  const base = mkdtempSync(join(tmpdir(), 'sluice-race-remote-'));
  mkdirSync(join(base, 'roots'));
  mkdirSync(join(base, 'locks'));
  /** @type {Counts} */
  const total = {};
  /** Set when all processes have begun, so that a slow machine races no less. */
  let end = Number.POSITIVE_INFINITY;
  let notReady = pushers + 2;
  try {
    const names = Array.from({ length: pushers }, (_, i) => `p${i}`);
    await Promise.all([
      ...names.map((pusher) => keepRunning(['--role', 'pusher', '--name', pusher], 8000)),
      keepRunning(['--role', 'collector'], COLLECTOR_LIFE_MS),
      keepRunning(['--role', 'collector'], COLLECTOR_LIFE_MS),
    ]);
    const problems = await problemsOn(base);
    const locks = await lostLocks(base);
    await sleep(TIMES.staleMs);
    await pushLocks(base);
    const after = await lostLocks(base);
    problems.push(...locks.problems, ...after.problems);
    const last = await collectAll(base);
    problems.push(...(await keysOn(base)).map((key) => `${key} is left although nothing needs it`));
    const {
      broken = 0,
      pushes = 0,
      given = 0,
      collections = 0,
      removed = 0,
      held = 0,
      late = 0,
      kills = 0,
      stops = 0,
      failures = 0,
    } = total;
    console.log(
      `race on a remote: ${pushes} pushes (${given} given up), ${collections} collections (${held} gave way, ${late} took too long), ${removed} objects removed, ${kills} kills, ${stops} stops, ${failures} failures, ${locks.whole} locks whole, ${after.whole} after they were pushed again, ${broken} broken`,
    );
    for (const problem of problems) console.log(`race on a remote: ${problem}`);
    const isGood =
      broken === 0 &&
      failures === 0 &&
      problems.length === 0 &&
      pushes > 0 &&
      collections > 0 &&
      last > 0 &&
      after.whole === pushers;
    process.exitCode = isGood ? 0 : 1;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }

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
      let stops = 0;
      while (child.exitCode === null && Date.now() < Math.min(dies, end)) {
        if (kill && Math.random() < 0.005) {
          stops++;
          child.kill('SIGSTOP');
          await sleep(Math.random() * 400);
          child.kill('SIGCONT');
        }
        await Promise.race([ended, sleep(20)]);
      }
      if (child.exitCode === null) {
        const isEnd = Date.now() >= end;
        child.kill(isEnd ? 'SIGTERM' : 'SIGKILL');
        if (!isEnd) last = { ...last, kills: 1 };
        await ended;
      } else last = { ...last, failures: 1 };
      for (const [key, count] of Object.entries({ ...last, stops })) total[key] = (total[key] ?? 0) + count;
    }
  }
}

/** The times of a race are set when a process begins, so it runs in one that knows the server. */
async function raceInBucket() {
  const stop = await startRaceServer();
  const child = spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' });
  const [status] = await once(child, 'exit');
  await stop();
  process.exitCode = status ?? 1;
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
