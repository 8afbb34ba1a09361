// @ts-check
// Kills Sluice anywhere: `npm run test:crash`, or `node scripts/crash.mjs --kills 15 --seed 7`. With `--remote s3` only pushes and pulls, over a real S3 server.
// Runs stages, commits, pushes, pulls and collections with the real commands, each killed (SIGKILL) at a random moment. After each kill
// the store must verify, every locked out must be whole in the store or on the remote, no map may name what is not there, and the
// same command must work. In the end a store that begins empty must get every version of the history from the remote.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leftovers, remoteProblems, workspaceProblems } from './crash/checks.mjs';
import { execute, json, must } from './crash/process.mjs';
import { pick, randomFrom } from './crash/random.mjs';
import { crashOverS3 } from './crash/s3.mjs';
import {
  commitLocks,
  deleteWorld,
  fingerprintOfFiles,
  makeWorld,
  RAW_COUNT,
  writeParam,
  writeRaw,
} from './crash/world.mjs';

/** @typedef {import('./crash/world.mjs').World} World */

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    remote: { type: 'string', default: 'file' },
    /** Of the largest file that goes over S3. */
    'large-mib': { type: 'string', default: '96' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const wanted = Number(values.kills ?? (values.remote === 's3' ? 100 : 200));
const random = randomFrom(seed);
console.log(`crash: seed ${seed}`);
if (values.remote === 's3') {
  await crashOverS3({ kills: wanted, seed, keep: values.keep, largeMib: Number(values['large-mib']) });
  process.exit();
}

/** How long each command takes when it is left alone; kills fall into this time. @type {Map<string, number>} */
const usualMs = new Map();
/** @type {Record<string, number>} */
const killsOf = {};
let version = 0;
let kills = 0;

const world = await makeWorld();
try {
  while (kills < wanted) await step(world);
  await finalCheck(world);
  console.log(
    `crash: ${kills} kills (${Object.entries(killsOf)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}), nothing lost`,
  );
  if (!values.keep) deleteWorld(world);
} catch (error) {
  console.error(`crash: seed ${seed}, after ${kills} kills; the workspaces are in ${world.folder}`);
  console.error(error);
  process.exitCode = 1;
}

/** Prepares something to do, does it until it is killed, checks, and does it again. @param {World} world */
async function step({ workspace, clone, remote }) {
  const action = pick(random, [runMake, runUse, commit, push, pull, gc]);
  const { root, words } = await action({ workspace, clone });
  const name = words.slice(0, words[0] === 'run' ? 2 : 1).join(' ');
  const killed = await execute(root, words, random() * 1.2 * (usualMs.get(name) ?? 600));
  if (killed.killed) {
    kills += 1;
    killsOf[name] = (killsOf[name] ?? 0) + 1;
    stopOn([...(await workspaceProblems(root)), ...remoteProblems(remote)], `after a kill of \`${name}\``);
  } else if (killed.code !== 0) {
    throw new Error(`\`${words.join(' ')}\` ended with ${killed.code}:\n${killed.output}`);
  }
  const again = await must(root, words);
  if (!killed.killed) usualMs.set(name, Math.max(killed.ms, again.ms));
  if (words[0] !== 'pull') return;
  for (const out of ['p/raw', 'p/made', 'p/used.bin']) {
    if (fingerprintOfFiles(join(clone, out)) === fingerprintOfFiles(join(workspace, out))) continue;
    throw new Error(`${out} of the clone is not that of the workspace`);
  }
}

/** @typedef {{ root: string, words: string[] }} Command */
/** @typedef {Pick<World, 'workspace' | 'clone'>} Roots */

/** @param {Roots} roots @returns {Promise<Command>} */
async function runMake({ workspace }) {
  version += 1;
  // An earlier number: a result that is known already.
  writeParam(workspace, random() < 0.3 ? Math.floor(random() * version) : version);
  return { root: workspace, words: ['run', 'p:make'] };
}

/** @param {Roots} roots @returns {Promise<Command>} */
async function runUse({ workspace }) {
  await settle(workspace);
  if (random() < 0.5) rmSync(join(workspace, 'p/used.bin'), { force: true });
  return { root: workspace, words: ['run', 'p:use'] };
}

/** @param {Roots} roots @returns {Promise<Command>} */
async function commit({ workspace }) {
  version += 1;
  for (let changes = 1 + random() * 30; changes > 0; changes -= 1) {
    writeRaw(workspace, Math.floor(random() * RAW_COUNT), version);
  }
  return { root: workspace, words: ['commit', 'p:raw'] };
}

/** @param {Roots} roots @returns {Promise<Command>} */
async function push({ workspace }) {
  await settle(workspace);
  return { root: workspace, words: ['push'] };
}

/** @param {Roots} roots @returns {Promise<Command>} */
async function pull({ workspace, clone }) {
  await settle(workspace);
  await must(workspace, ['push']);
  await must(clone, ['git', 'pull', '--quiet', '--no-rebase']);
  // Sometimes the clone begins with nothing.
  if (random() < 0.3) rmSync(join(clone, '.sluice'), { recursive: true, force: true });
  if (random() < 0.3) rmSync(join(clone, 'p/made'), { recursive: true, force: true });
  return { root: clone, words: ['pull', '--force'] };
}

/** @param {Roots} roots @returns {Promise<Command>} */
async function gc({ workspace }) {
  await settle(workspace);
  return { root: workspace, words: random() < 0.3 ? ['gc', '--num', '3'] : ['gc'] };
}

/** Brings the workspace to a state that can be committed to git: every stage up to date. @param {string} workspace */
async function settle(workspace) {
  for (const words of [
    ['commit', 'p:raw'],
    ['run', 'p:make'],
    ['run', 'p:use'],
  ])
    await must(workspace, words);
  await commitLocks(workspace, `Version ${version}`);
}

/** Everything that any commit names comes from the remote into an empty store. @param {World} world */
async function finalCheck({ workspace, remote }) {
  await settle(workspace);
  await must(workspace, ['push', '--all-commits']);
  stopOn(remoteProblems(remote), 'in the end');
  await must(workspace, ['gc']);
  stopOn(leftovers(workspace), 'in the end');
  rmSync(join(workspace, '.sluice'), { recursive: true });
  await must(workspace, ['fetch', '--history']);
  stopOn(await workspaceProblems(workspace), 'in the end');
  const { stages } = await json(workspace, ['status']);
  for (const { target, state } of stages)
    if (state !== 'unchanged') throw new Error(`p:${target} is ${state} in the end`);
}

/** @param {readonly string[]} problems @param {string} when */
function stopOn(problems, when) {
  if (problems.length > 0) throw new Error(`${when}:\n${problems.join('\n')}`);
}
