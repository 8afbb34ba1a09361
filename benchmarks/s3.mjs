// @ts-check
// npm run bench -- s3 [small medium big latency] [--quick] [--runs N]: pushes to a real S3 server on this machine and fetches from it, beside other tools, beside the bare
// SDK, and with a line that takes 50 ms for each request.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3 } from '@aws-sdk/client-s3';
import { startFaultProxy } from '../scripts/s3/fault-proxy.mjs';
import { startS3Server } from '../scripts/s3/server.mjs';
import { run, settle } from './measure.mjs';
import { median } from './report.mjs';
import { measureOthers } from './s3/others.mjs';
import { ensureSet, SETS } from './sets.mjs';
import { makeWorkDir, makeWorkRoot, removeTree } from './work-dir.mjs';
import { createWorkspaces } from './workspaces.mjs';

/** @typedef {import('./sets.mjs').DataSet} DataSet */
/** @typedef {import('./s3/others.mjs').Place} Place */
/** @typedef {{ runs: number, quick: boolean, cli: string, words: readonly string[] }} Options */

const MIB = 1024 * 1024;
const BARE = fileURLToPath(new URL('s3/bare.mjs', import.meta.url));
const BUCKET = 'bench';
/** A quick bench has so many times fewer files, and the one large file is so many times smaller. */
const QUICK = 10;
const LATENCY_MS = 50;
const PEAK_BYTES = 200 * MIB;
const AGAIN_SECONDS = 0.6;
const AGAIN_REQUESTS = 3;

/**
 * What a set may take. `times`: so many times faster than DVC where it is there, else `seconds`, which hold for the whole set.
 * @type {Readonly<Record<string, { seconds: number, times: number, puts: number }>>}
 */
const BARS = {
  small: { seconds: 2, times: 64, puts: 12 },
  medium: { seconds: 3, times: 13, puts: 20 },
};

export const S3_WORDS = ['small', 'medium', 'big', 'latency'];

/** @param {Options} options @returns {Promise<{ missed: number }>} */
export async function measureS3({ runs, quick, cli, words }) {
  const verdicts = { missed: 0 };
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const server = await startS3Server();
  const place = { endpoint: server.endpoint, bucket: BUCKET, env: server.env };
  const root = makeWorkRoot();
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = server.env;
  const s3 = new S3({
    endpoint: server.endpoint,
    region: server.env.AWS_REGION ?? '',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const isWanted = (/** @type {string} */ word) => words.length === 0 || words.includes(word);
  const bench = { runs, cli, root, report: reporter(verdicts) };
  try {
    await s3.createBucket({ Bucket: BUCKET }).catch(() => {});
    for (const name of ['small', 'medium']) if (isWanted(name)) await measureSet(bench, setOf(name, quick), place);
    if (isWanted('big')) await measureBig(bench, setOf('big', quick), place);
    if (isWanted('latency')) await measureLatency(bench, setOf('medium', quick), place);
  } finally {
    s3.destroy();
    await server.stop();
    await removeTree(root);
  }
  return verdicts;
}

/** @typedef {{ runs: number, cli: string, root: string, report: ReturnType<typeof reporter> }} Bench */

/** Many files: push, push again, fetch, beside other tools. @param {Bench} bench @param {DataSet} set @param {Place} place */
async function measureSet({ runs, cli, root, report }, set, place) {
  const source = ensureSet(set);
  const workDir = makeWorkDir(root, set.name, true);
  const workspaces = createWorkspaces(set, source, workDir, cli, placesAt(place.endpoint, place.env));
  const ours = await pushAndFetch(workspaces, set, runs);
  const others = await measureOthers(source, place, workDir);
  const { seconds, times, puts } = BARS[set.name.replace('-quick', '')] ?? { seconds: 0, times: 1, puts: 0 };
  const dvc = others.find(({ name }) => name === 'dvc');
  for (const what of /** @type {const} */ (['push', 'fetch'])) {
    const beside = others.map((other) => `${other.name} ${shown(other[what])}`).join(', ');
    const most = dvc === undefined ? seconds : dvc[what] / times;
    report(`${set.name}: ${what}`, shown(ours[what]), beside, ours[what], most, 's');
  }
  const again = others.map((other) => `${other.name} ${shown(other.again ?? 0)}`).join(', ');
  report(`${set.name}: push again`, shown(ours.again), again, ours.again, AGAIN_SECONDS, 's');
  report(`${set.name}: PUT requests of a push`, String(ours.puts), '', ours.puts, puts);
  report(`${set.name}: requests of a push again`, String(ours.requestsAgain), '', ours.requestsAgain, AGAIN_REQUESTS);
  report(`${set.name}: peak memory`, mib(ours.peakBytes), ours.peakOf, ours.peakBytes / MIB, PEAK_BYTES / MIB, 'MiB');
}

/** One large file, beside the SDK alone. @param {Bench} bench @param {DataSet} set @param {Place} place */
async function measureBig({ runs, cli, root, report }, set, place) {
  const source = ensureSet(set);
  const workDir = makeWorkDir(root, set.name, false);
  const workspaces = createWorkspaces(set, source, workDir, cli, placesAt(place.endpoint, place.env));
  /** @type {Record<'push' | 'fetch', number[]>} */
  const bare = { push: [], fetch: [] };
  const ours = await pushAndFetch(workspaces, set, runs, async (what) => {
    const file = what === 'push' ? source : join(workDir.path, `back-${bare.fetch.length}`);
    const action = what === 'push' ? 'upload' : 'download';
    const { seconds } = await run(process.execPath, [BARE, action, place.endpoint, place.bucket, 'bare', file], {
      env: place.env,
    });
    bare[what].push(seconds);
    if (what === 'fetch') workDir.retire(file);
  });
  for (const what of /** @type {const} */ (['push', 'fetch'])) {
    const line = median(bare[what]);
    report(`${set.name}: ${what}`, shown(ours[what]), `the bare SDK ${shown(line)}`, ours[what], line / 0.8, 's');
  }
  report(`${set.name}: peak memory`, mib(ours.peakBytes), ours.peakOf, ours.peakBytes / MIB, PEAK_BYTES / MIB, 'MiB');
}

/** The same proxy without and with a wait. @param {Bench} bench @param {DataSet} set @param {Place} place */
async function measureLatency({ runs, cli, root, report }, set, place) {
  const source = ensureSet(set);
  const workDir = makeWorkDir(root, `${set.name}-latency`, true);
  const proxy = await startFaultProxy(place.endpoint);
  try {
    const workspaces = createWorkspaces(set, source, workDir, cli, placesAt(proxy.endpoint, place.env));
    const near = await pushAndFetch(workspaces, set, runs);
    proxy.latencyMs = LATENCY_MS;
    const far = await pushAndFetch(workspaces, set, runs);
    for (const what of /** @type {const} */ (['push', 'fetch'])) {
      const text = `${set.name}: ${what} with ${LATENCY_MS} ms for each request`;
      report(text, shown(far[what]), `without ${shown(near[what])}`, far[what], 2 * near[what], 's');
    }
  } finally {
    await proxy.stop();
  }
}

/**
 * Medians of a push to an empty remote, a push again, and a fetch into an empty store; `beside` is called before each push and fetch.
 * @param {import('./workspaces.mjs').Workspaces} workspaces @param {DataSet} set @param {number} runs @param {(what: 'push' | 'fetch') => Promise<void>} [beside]
 */
async function pushAndFetch(workspaces, set, runs, beside = async () => {}) {
  /** @type {Record<'push' | 'again' | 'fetch', number[]>} */
  const seconds = { push: [], again: [], fetch: [] };
  const most = { peakBytes: 0, peakOf: '', puts: 0, requestsAgain: 0 };
  for (let n = 0; n < runs; n++) {
    await workspaces.unpushed();
    await beside('push');
    await settle();
    const push = await workspaces.inTracked('push');
    const again = await workspaces.inTracked('push');
    await workspaces.freshClone();
    await beside('fetch');
    await settle();
    const fetch = await workspaces.inClone('fetch');
    const [pushed, pushedAgain, fetched] = [push, again, fetch].map(({ stdout }) => JSON.parse(stdout));
    expectFiles(pushed.files.sent, set.files, 'sent');
    expectFiles(pushedAgain.files.sent, 0, 'sent again');
    expectFiles(fetched.files.received, set.files, 'received');
    for (const [what, measured] of Object.entries({ push, again, fetch })) {
      seconds[/** @type {keyof typeof seconds} */ (what)].push(measured.seconds);
      if ((measured.peakBytes ?? 0) <= most.peakBytes) continue;
      most.peakBytes = measured.peakBytes ?? 0;
      most.peakOf = what;
    }
    most.puts = Math.max(most.puts, pushed.requests.put);
    const asked = Object.values(pushedAgain.requests).reduce((sum, count) => sum + Number(count), 0);
    most.requestsAgain = Math.max(most.requestsAgain, asked);
  }
  return { push: median(seconds.push), again: median(seconds.again), fetch: median(seconds.fetch), ...most };
}

/** A prefix for each remote. @param {string} endpoint @param {Record<string, string>} env @returns {import('./workspaces.mjs').RemotePlaces} */
function placesAt(endpoint, env) {
  return { next: () => ({ url: `s3://${BUCKET}/sluice-${Date.now()}`, endpoint }), env };
}

/** @param {string} name @param {boolean} quick @returns {DataSet} */
function setOf(name, quick) {
  const set = SETS.find((one) => one.name === name);
  if (set === undefined) throw new Error(`no set is called ${name}`);
  if (!quick) return set;
  const few = set.files === 1 ? { leastBytes: set.leastBytes / QUICK, mostBytes: set.mostBytes / QUICK } : {};
  const files = set.files === 1 ? 1 : set.files / QUICK;
  return { ...set, name: `${name}-quick`, files, folders: Math.ceil(set.folders / QUICK), ...few };
}

/** @param {unknown} actual @param {number} expected @param {string} what */
function expectFiles(actual, expected, what) {
  if (actual !== expected) throw new Error(`${expected} files should have been ${what}, not ${actual}`);
}

/** @param {{ missed: number }} verdicts */
function reporter(verdicts) {
  /** @param {string} what @param {string} value @param {string} beside @param {number} measured @param {number} most @param {string} [unit] */
  return (what, value, beside, measured, most, unit = '') => {
    const isMet = measured <= most;
    if (!isMet) verdicts.missed++;
    const bar = `${Number(most.toFixed(2))}${unit === '' ? '' : ` ${unit}`}`;
    console.log(`${what}: ${value}${beside === '' ? '' : ` (${beside})`}, at most ${bar}: ${isMet ? 'ok' : 'missed'}`);
  };
}

/** @param {number} seconds */
function shown(seconds) {
  return `${seconds.toFixed(2)} s`;
}

/** @param {number} bytes */
function mib(bytes) {
  return `${Math.round(bytes / MIB)} MiB`;
}
