// @ts-check
// npm run bench -- nx: what Sluice adds to Nx. 1,000 unchanged stages in one `nx run-many`, beside an executor that does nothing in the same workspace, and the time that
// the graph plugin takes from each command of Nx.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../scripts/run-tool.mjs';
import { run } from './measure.mjs';

const PROJECTS = 100;
/** Per project: in the run, and where the plugin is measured. */
const STAGES = 10;
const USUAL_STAGES = 2;
const GIB = 2 ** 30;
const SLUICE = join(ROOT, 'packages/cli/bundle/bin.js');
const NX = createRequire(join(ROOT, 'package.json')).resolve('nx/bin/nx.js');

/** @param {number} runs */
export async function measureNx(runs) {
  const root = mkdtempSync(join(tmpdir(), 'sluice-bench-nx-'));
  try {
    makeWorkspace(root, STAGES);
    nx(root, 'run-many', '-t', `stage${STAGES - 1}`, '--batch');
    const unchanged = median(runs, () => nx(root, 'run-many', '-t', `stage${STAGES - 1}`, '--batch'));
    const nothing = median(runs, () => nx(root, 'run-many', '-t', `noop${STAGES - 1}`, '--batch'));
    const count = PROJECTS * STAGES;
    report(
      `${count} unchanged stages, nx run-many --batch`,
      seconds(unchanged),
      `an executor that does nothing ${seconds(nothing)}`,
      unchanged / nothing,
      1.3,
    );
    report('Sluice in it', seconds(unchanged - nothing), '', (unchanged - nothing) / 1000, 1.5);
    makeWorkspace(join(root, 'usual'), USUAL_STAGES);
    // Sluice keeps what it knows where it has been used.
    mkdirSync(join(root, 'usual/.sluice/index'), { recursive: true });
    await measurePlugin(join(root, 'usual'), runs);
    await measureStart(root, runs);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** @param {string} root @param {number} stages */
function makeWorkspace(root, stages) {
  /** @param {string} path @param {unknown} content */
  const write = (path, content) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  write('nx.json', { plugins: ['@sluice/nx'], useDaemonProcess: false, analytics: false, neverConnectToCloud: true });
  write('package.json', { name: 'bench', private: true });
  write('.gitignore', 'node_modules\n.nx\nusual\nempty\nfull\n');
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  write('noop/package.json', { name: 'noop', executors: './executors.json' });
  write('noop/executors.json', {
    executors: { noop: { implementation: './one.js', batchImplementation: './many.js', schema: './schema.json' } },
  });
  write('noop/schema.json', { version: 2, type: 'object', properties: {} });
  write('noop/one.js', 'module.exports = async () => ({ success: true });');
  write(
    'noop/many.js',
    `module.exports = async function* (graph) {
       for (const task of Object.keys(graph.tasks)) yield { task, result: { success: true, terminalOutput: '' } };
     };`,
  );
  for (let p = 0; p < PROJECTS; p++) {
    const name = `p${p}`;
    /** @type {Record<string, unknown>} */
    const targets = {};
    for (let s = 0; s < stages; s++) {
      const deps = s === 0 ? ['{projectRoot}/in.txt'] : [`{projectRoot}/out-${s - 1}.txt`];
      const options = { command: `cat in.txt > out-${s}.txt`, deps, outs: [`{projectRoot}/out-${s}.txt`] };
      targets[`stage${s}`] = { executor: '@sluice/nx:stage', options };
      targets[`noop${s}`] = {
        executor: './noop:noop',
        cache: false,
        ...(s === 0 ? {} : { dependsOn: [`noop${s - 1}`] }),
      };
    }
    write(`${name}/in.txt`, `${p}\n`);
    write(`${name}/project.json`, { name, targets });
  }
  execFileSync('git', ['init', '-q', root]);
}

/** @param {string} root @param {number} runs */
async function measurePlugin(root, runs) {
  const { createNodes } = await import(pathToFileURL(join(ROOT, 'packages/nx/dist/plugin.js')).href);
  const files = Array.from({ length: PROJECTS }, (_, p) => `p${p}/project.json`);
  const call = () => createNodes[1](files, undefined, { workspaceRoot: root });
  const cold = median(runs, () => {
    rmSync(join(root, '.sluice/index/graph.json'), { force: true });
    call();
  });
  // A process of Nx calls it once; the calls before have only warmed up what is the same in all of them.
  const warm = median(runs, call);
  const what = `graph plugin, ${PROJECTS} projects with ${USUAL_STAGES} stages each`;
  report(`${what}, nothing changed`, `${warm.toFixed(1)} ms`, '', warm, 15);
  report(`${what}, nothing known`, `${cold.toFixed(1)} ms`, '');
}

/**
 * What Nx needs to start beside 2 GiB of data: with what `init` and `commit` write, and without, when Nx reads all of it.
 * @param {string} root @param {number} runs
 */
async function measureStart(root, runs) {
  const empty = join(root, 'empty');
  const full = join(root, 'full');
  makeWorkspace(empty, USUAL_STAGES);
  makeWorkspace(full, USUAL_STAGES);
  const data = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
  mkdirSync(join(full, 'data/data'), { recursive: true });
  writeFileSync(join(full, 'data/project.json'), JSON.stringify({ name: 'data', targets: { data } }));
  for (let i = 0; i < 4; i++) {
    writeFileSync(join(full, `data/data/${i}.bin`), String(i));
    truncateSync(join(full, `data/data/${i}.bin`), GIB / 2);
  }
  execFileSync(process.execPath, [SLUICE, 'init'], { cwd: full, stdio: 'pipe' });
  execFileSync(process.execPath, [SLUICE, 'commit'], { cwd: full, stdio: 'pipe' });
  const none = await start(empty, runs);
  const ignored = await start(full, runs);
  for (const file of ['.gitignore', '.nxignore', 'data/.gitignore']) rmSync(join(full, file), { force: true });
  writeFileSync(join(full, '.gitignore'), 'node_modules\n.nx\n');
  const read = await start(full, runs);
  const ratio = (/** @type {number} */ a, /** @type {number} */ b) => a / b;
  report(
    'Nx beside 2 GiB of data, start',
    seconds(ignored.ms),
    `without data ${seconds(none.ms)}`,
    ratio(ignored.ms, none.ms),
    1.2,
  );
  report(
    'Nx beside 2 GiB of data, memory',
    mib(ignored.bytes),
    `without data ${mib(none.bytes)}`,
    ratio(ignored.bytes, none.bytes),
    1.1,
  );
  report('the same without the ignore lines', `${seconds(read.ms)}, ${mib(read.bytes)}`, '');
}

/** Medians of `nx show projects` in a workspace that Nx has not seen. @param {string} root @param {number} runs */
async function start(root, runs) {
  /** @type {{ ms: number, bytes: number }[]} */
  const all = [];
  for (let i = 0; i < runs; i++) {
    rmSync(join(root, '.nx'), { recursive: true, force: true });
    const env = { NX_DAEMON: 'false', CI: 'true' };
    const { seconds: took, peakBytes } = await run(process.execPath, [NX, 'show', 'projects'], {
      cwd: root,
      env,
      peak: true,
    });
    all.push({ ms: took * 1000, bytes: peakBytes ?? 0 });
  }
  const middle = Math.floor(runs / 2);
  return {
    ms: all.map(({ ms }) => ms).sort((a, b) => a - b)[middle] ?? 0,
    bytes: all.map(({ bytes }) => bytes).sort((a, b) => a - b)[middle] ?? 0,
  };
}

/** @param {number} bytes */
function mib(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** @param {string} root @param {...string} args */
function nx(root, ...args) {
  execFileSync(process.execPath, [NX, ...args], {
    cwd: root,
    stdio: 'pipe',
    maxBuffer: 1 << 28,
    env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', CI: 'true' },
  });
}

/** @param {number} runs @param {() => unknown} action */
function median(runs, action) {
  const times = Array.from({ length: runs }, () => {
    const startedMs = performance.now();
    action();
    return performance.now() - startedMs;
  });
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}

/** @param {string} what @param {string} value @param {string} beside @param {number} [measured] @param {number} [bar] */
function report(what, value, beside, measured, bar) {
  const verdict =
    measured === undefined || bar === undefined
      ? ''
      : `  ${measured.toFixed(2)} of at most ${bar}: ${measured <= bar ? 'ok' : 'missed'}`;
  console.log(`${what}: ${value}${beside === '' ? '' : `, ${beside}`}${verdict}`);
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
