// @ts-check
// Kills pushes to a bucket, collections of it and pulls from it: `npm run test:crash -- --remote s3`.
// After each kill no map and no record may name what is not in the bucket, and the same command must go on without sending or fetching again what the store says to be
// there. A collection gives up all versions but the last, which stays whole. In the end two workspaces push at once, the same version and different ones, and clones without a store must get all of it.
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { startFaultProxy } from '../s3/fault-proxy.mjs';
import { startS3Server } from '../s3/server.mjs';
import { bucketProblems, dropHolds, lostRoots, orphanPacks } from './bucket.mjs';
import { workspaceProblems } from './checks.mjs';
import { keptSlices, notedParts } from './left-transfers.mjs';
import { execute, must } from './process.mjs';
import { randomFrom } from './random.mjs';
import { largeFile, lockedRoots, makeS3World, writeVersion } from './s3-world.mjs';
import { commitLocks, fingerprintOfFiles } from './world.mjs';

const BUCKET = 'crash';
/** So that there is something to kill. */
const LATENCY_MS = 20;

/** @param {{ kills: number, seed: number, keep: boolean, largeMib: number }} options */
export async function crashOverS3({ kills: wanted, seed, keep, largeMib }) {
  const random = randomFrom(seed);
  const server = await startS3Server();
  Object.assign(process.env, server.env);
  const proxy = await startFaultProxy(server.endpoint);
  proxy.latencyMs = LATENCY_MS;
  const s3 = new S3({ endpoint: server.endpoint, forcePathStyle: true });
  await s3.createBucket({ Bucket: BUCKET });
  const world = await makeS3World(`s3://${BUCKET}`, proxy.endpoint);
  const { workspace, clone } = world;
  /** Answers of the server to the command that runs. @type {{ line: string, range: string | undefined }[]} */
  let answers = [];
  let onAnswer = () => {};
  proxy.onAnswer = ({ line, range, status }) => {
    if (status < 300) answers.push({ line, range });
    onAnswer();
  };
  /** Requests of a command that was left alone. @type {Map<string, number>} */
  const usual = new Map([
    ['push', 12],
    ['pull', 12],
    ['gc', 30],
  ]);
  const counts = { push: 0, pull: 0, gc: 0, parts: 0, slices: 0 };
  const kills = () => counts.push + counts.pull + counts.gc;
  /** @type {Map<string, { digest: string, bytes: number }>} */
  const large = new Map();
  try {
    for (let version = 0; kills() < wanted; version += 1) {
      await writeVersion(workspace, version, largeMib);
      noteLarge(version);
      await untilAlive(workspace, 'push', ['push']);
      // At once: nobody pushes meanwhile.
      await untilAlive(workspace, 'gc', ['gc', '--remote', 'origin', '--grace', '0d']);
      await must(clone, ['git', 'pull', '--quiet', '--no-rebase']);
      if (random() < 0.3) rmSync(join(clone, '.sluice'), { recursive: true, force: true });
      await untilAlive(clone, 'pull', ['pull', '--force']);
      same(clone, workspace);
    }
    stopOn(await workspaceProblems(workspace), 'in the end');
    const orphans = await orphanPacks(s3, BUCKET);
    if (orphans > 2 * counts.push)
      throw new Error(`${orphans} packs were sent for nothing by ${counts.push} killed pushes`);
    await twoPushers();
    console.log(
      `crash over S3: ${kills()} kills (push ${counts.push}, pull ${counts.pull}, collection ${counts.gc}), ${counts.parts} parts and ${counts.slices} MiB gone on with, ` +
        'none sent twice, nothing lost',
    );
    if (!keep) rmSync(world.folder, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    console.error(`crash over S3: seed ${seed}, after ${kills()} kills; the workspaces are in ${world.folder}`);
    throw error;
  } finally {
    s3.destroy();
    await proxy.stop();
    await server.stop();
  }

  /** Runs a command again and again until it was not killed. @param {string} root @param {'push' | 'pull' | 'gc'} name @param {readonly string[]} words */
  async function untilAlive(root, name, words) {
    let [parts, slices] = [new Set(), new Set()];
    const before = counts[name];
    for (let isLast = false; !isLast; ) {
      // A short run kills all of them, too.
      const isEnough = counts[name] - before >= Math.ceil(wanted / 3);
      isLast = isEnough || kills() >= wanted || random() < 0.25;
      answers = [];
      const at = Math.floor(random() * (usual.get(name) ?? 1));
      const killed = await execute(root, words, undefined, (kill) => {
        onAnswer = () => {
          // A little later: what has been answered is perhaps noted by then, and perhaps not.
          if (!isLast && answers.length > at) setTimeout(kill, random() * 40);
        };
      });
      onAnswer = () => {};
      if (!killed.killed && killed.code !== 0)
        throw new Error(`\`${name}\` ended with ${killed.code}:\n${killed.output}`);
      expectNotAgain(parts, slices);
      if (!killed.killed) {
        usual.set(name, answers.length);
        return;
      }
      counts[name] += 1;
      stopOn(await bucketProblems(s3, BUCKET, large), `after a kill of \`${name}\``);
      if (name === 'gc') await dropHolds(s3, BUCKET);
      if (name === 'gc') stopOn(await lostRoots(s3, BUCKET, lockedRoots(root)), 'after a kill of a collection');
      else if (name === 'push') parts = notedParts(root);
      else slices = keptSlices(root, largeFile(workspace));
      counts.parts += parts.size;
      counts.slices += slices.size;
    }
  }

  /** What was complete before the command must not have crossed the line again. @param {Set<unknown>} parts @param {Set<unknown>} slices */
  function expectNotAgain(parts, slices) {
    for (const { line, range } of answers) {
      const query = new URLSearchParams(line.split('?')[1] ?? '');
      const part = `${query.get('uploadId')} ${query.get('partNumber')}`;
      if (line.startsWith('PUT') && parts.has(part)) throw new Error(`part ${part} was sent twice`);
      const [, from] = /^bytes=(\d+)-/.exec(range ?? '') ?? [];
      if (
        line.includes('/blobs/') &&
        line.startsWith('GET') &&
        from !== undefined &&
        isLarge(line) &&
        slices.has(Number(from))
      ) {
        throw new Error(`${range} of ${line} was fetched twice`);
      }
    }
  }

  /** Whether a request is for the large file of the current version. @param {string} line */
  function isLarge(line) {
    const last = [...large.values()].at(-1);
    return last !== undefined && line.includes(last.digest.slice(2));
  }

  /** @param {number} version */
  function noteLarge(version) {
    const bytes = readFileSync(largeFile(workspace));
    const root = [...lockedRoots(workspace)].find(([path]) => path.endsWith('raw'))?.[1];
    if (root === undefined) throw new Error(`version ${version} is not locked`);
    large.set(root, { digest: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
  }

  /** The same version from two workspaces at once, then two versions. */
  async function twoPushers() {
    const second = join(world.folder, 'second');
    for (const isSame of [true, false]) {
      rmSync(second, { recursive: true, force: true });
      await writeVersion(workspace, isSame ? 1000 : 1001, largeMib);
      cpSync(workspace, second, { recursive: true, verbatimSymlinks: true });
      if (!isSame) await writeVersion(second, 1002, largeMib);
      await Promise.all([must(workspace, ['push']), must(second, ['push'])]);
      stopOn(await bucketProblems(s3, BUCKET, large), 'after two pushers');
      for (const root of [workspace, second]) {
        const fresh = join(world.folder, 'fresh');
        await must(root, ['git', 'clone', '--quiet', '.', fresh]);
        await must(fresh, ['pull']);
        same(fresh, root);
        rmSync(fresh, { recursive: true, force: true });
      }
    }
    await commitLocks(workspace, 'The end');
  }
}

/** @param {string} one @param {string} other */
function same(one, other) {
  for (const out of ['p/raw', 'p/made.bin']) {
    if (fingerprintOfFiles(join(one, out)) !== fingerprintOfFiles(join(other, out)))
      throw new Error(`${out} of ${one} is not that of ${other}`);
  }
}

/** @param {readonly string[]} problems @param {string} when */
function stopOn(problems, when) {
  if (problems.length > 0) throw new Error(`${when}:\n${problems.join('\n')}`);
}
