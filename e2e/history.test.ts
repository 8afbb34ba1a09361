import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { BlameReport, DiffReport, LogReport, LsReport, StoreStat, SummaryReport } from '@sluice/engine';
import { patternBytes } from './harness/bytes.js';
import { pipelineWorkspace } from './harness/pipeline.js';
import { type Place, usePlaces } from './harness/places.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const places = usePlaces();
const [directory] = places;

const LARGE = patternBytes('large', 12 * 1024 * 1024);
const raw = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/raw'] } };

let w: Workspace;
afterEach(() => w?.delete());

/** Two versions of a dataset, pushed: the second changes one file, renames one, and adds one. */
async function twoVersions(place: Place): Promise<Workspace> {
  w = await createWorkspace({ 'p/project.json': { name: 'p', targets: { raw } } });
  const made = await place.prepare(w);
  for (let i = 0; i < 10; i++) made.write({ [`p/raw/1999/${i}.bin`]: patternBytes(`first ${i}`, 1000 + i) });
  made.write({ 'p/raw/large.bin': LARGE, 'p/raw/table.csv': 'id,n\n1,one\n' });
  await made.sluice('commit');
  await made.commitAll('First');
  made.write({ 'p/raw/table.csv': 'id,n\n1,uno\n', 'p/raw/new.bin': patternBytes('new', 50) });
  await made.run('mv', 'p/raw/1999/3.bin', 'p/raw/1999/moved.bin');
  await made.sluice('commit');
  await made.commitAll('Second');
  await made.sluice('push', '--all-commits');
  return made;
}

for (const place of places) {
  story(`a clone without data reads its history from ${place.name}`, async () => {
    const made = await twoVersions(place);
    const clone = (await made.clone('clone')).with(made.env);
    const before = await clone.json<LsReport>('ls', '--rev', 'HEAD~1');
    expect([before.files, before.outs[0]?.stored.files]).toEqual([12, 0]);

    const { commits } = await clone.json<LogReport>('log', 'p:raw', '--stat', '--remote');
    expect(commits.map(({ subject, outs }) => [subject, outs[0]?.stat?.added, outs[0]?.remote])).toEqual([
      ['Second', 1, { origin: 'complete' }],
      ['First', 12, { origin: 'complete' }],
    ]);
    const { outs } = await clone.json<DiffReport>('diff', 'HEAD~1');
    expect(outs[0]).toMatchObject({
      added: [{ path: 'new.bin' }],
      deleted: [],
      modified: [{ path: 'table.csv' }],
      renamed: [{ from: '1999/3.bin', path: '1999/moved.bin' }],
    });
    const { files } = await clone.json<BlameReport>('blame', 'p:raw#*');
    expect(files.map(({ path, commit }) => [path, commit?.subject])).toEqual([
      ['large.bin', 'First'],
      ['new.bin', 'Second'],
      ['table.csv', 'Second'],
    ]);
    const summary = await clone.json<SummaryReport>('summary');
    expect(summary.outs[0]).toMatchObject({ remote: { origin: 'complete' }, stored: { files: 0 }, disk: { bytes: 0 } });
    expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0 });
    expect(await bytesOf(clone, 'p:raw#large.bin')).toBe(sha256(LARGE));
    const range = await bytesOf(clone, 'p:raw#large.bin', '--range', '5000000-6000000');
    expect(range).toBe(sha256(LARGE.subarray(5_000_000, 6_000_001)));
    expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0 });

    const shown = await clone.sluice('diff', 'HEAD~1..HEAD', '--content', '--full');
    expect(shown).toContain('  R  p/raw/1999/3.bin -> p/raw/1999/moved.bin  1,003 B');
    expect(shown).toContain('      ~ row 1: n: one -> uno');
    expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 2 });
    expect(await clone.git('status', '--porcelain')).toBe('');
  });
}

story('who has seen enough of a file ends the reading of it, without a complaint', async () => {
  const made = await twoVersions(directory);
  const ended = await made.try('sh', '-c', 'node_modules/.bin/sluice cat "p:raw#large.bin" | head -c 5 | wc -c');
  expect([ended.code, ended.stdout.trim(), ended.stderr]).toEqual([0, '5', '']);
  // What is in the store is asked of nobody.
  const offline = await made.try(
    'sh',
    '-c',
    'node_modules/.bin/sluice cat "p:raw#large.bin" --rev HEAD~1 --offline --range 7-16 | wc -c',
  );
  expect([offline.code, offline.stdout.trim()]).toEqual([0, '10']);
});

story('trees that are nowhere are an error that says what to do', async () => {
  const made = await twoVersions(directory);
  const clone = await made.clone('clone');
  const away = await clone.failure(4, 'ls', '--rev', 'HEAD~1', '--offline');
  expect([away.code, away.hint]).toEqual([
    'ERR_NOT_LOCAL',
    'Run: sluice fetch --rev HEAD~1 p:raw (when origin can be asked)',
  ]);
  expect(await clone.json<LogReport>('log', '--stat', '--offline')).toMatchObject({ commits: [{}, {}] });
  expect((await clone.failure(4, 'log', '--stat', '--offline', '--strict')).code).toBe('ERR_NOT_LOCAL');
});

story('a log says which run made a version', async () => {
  w = await pipelineWorkspace();
  await w.sluice('init', '--remote', 'file:../remote');
  await w.nx('run', 'p:report');
  await w.commitAll('First results');
  await w.sluice('push');
  const clone = await w.clone('clone');
  const { commits } = await clone.json<LogReport>('log', 'p:report', '--remote');
  expect(commits[0]?.outs[0]?.made?.ms).toBeGreaterThan(0);
});

/** The SHA-256 of what `sluice cat` prints. */
async function bytesOf(workspace: Workspace, ...args: string[]): Promise<string> {
  const hash = createHash('sha256');
  const child = spawn(workspace.path('node_modules/.bin/sluice'), ['cat', ...args], {
    cwd: workspace.root,
    env: workspace.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Uint8Array) => hash.update(chunk));
  const [code]: unknown[] = await once(child, 'close');
  expect(code).toBe(0);
  return hash.digest('hex');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
