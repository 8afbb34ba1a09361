import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import type { SluiceEvent } from '../events.js';
import { digestOf } from '../model/digest.js';
import { type LockedStage, printLock } from '../model/lock.js';
import { fingerprintOf, type Part } from '../model/parts.js';
import { parseRelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { listKept, writeKept } from '../store/kept.js';
import { countRecords, writeRecord } from '../store/records.js';
import { storeStat } from '../store/stat.js';
import { openStore, type Store } from '../store/store.js';
import { registerWorkspace } from '../store/workspaces.js';
import { storeTree, type TestFiles } from '../testing/store-tree.js';
import { explainGc } from './explain-gc.js';
import { type GcOutcome, type RunGcOptions, runGc } from './run-gc.js';

let dir = '';
let root = '';
let store: Store;
let onRemote: Set<string>;
let asked: string[];
let events: SluiceEvent[];
const now = new Date('2026-11-20T10:00:00.000Z');

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-run-gc-')));
  root = makeWorkspace('ws');
  store = openStore({ dir: join(root, '.sluice'), durability: 'none' });
  registerWorkspace(store, root, now);
  onRemote = new Set();
  asked = [];
  events = [];
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

function makeWorkspace(name: string): string {
  const path = join(dir, name);
  write(join(path, 'nx.json'), '{}');
  write(join(path, 'p/project.json'), '{"name": "p"}');
  write(join(path, '.gitignore'), '.sluice\n');
  return path;
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, text);
}

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function commitAll(): string {
  git('add', '-A');
  git('commit', '-qm', 'x');
  return git('rev-parse', 'HEAD').trim();
}

/** Like a commit of a version: objects, record, lock. */
async function commitVersion(
  number: number,
  { record = true, workspace = root, out = 'p/data', at = now.toISOString() } = {},
): Promise<OutRoot> {
  const made = await storeTree(store, version(number), number % 2 === 0);
  const outs = new Map([[parseRelPath(out), made]]);
  const parts: Part[] = [{ kind: 'command', name: '', value: `make ${number}` }];
  const fingerprint = fingerprintOf(parts);
  if (record) {
    const stage = { project: 'p', target: 'make' };
    writeRecord(store, { fingerprint, tracked: false, parts, outs, stage, made: { at, ms: 1 }, area: 'shared' });
  }
  const entry: LockedStage = { fingerprint, parts, outs };
  write(join(workspace, 'p/sluice-lock.json'), printLock({ stages: new Map([['make', entry]]) }));
  return made;
}

/** Three objects each, none in common. */
function version(number: number): TestFiles {
  return { a: `a ${number}`, b: `b ${number}` };
}

function gc(options: Partial<RunGcOptions> = {}): Promise<GcOutcome> {
  return runGc({
    store,
    root,
    scope: {},
    now,
    emit: (event) => events.push(event),
    isOnRemote: async ({ digest }) => {
      asked.push(digest);
      return onRemote.has(digest);
    },
    ...options,
  });
}

function objects(): number {
  return storeStat(store).objects;
}

test('unpushed versions stay until they are pushed or given up', async () => {
  git('init', '-q');
  const first = await commitVersion(1);
  commitAll();
  await commitVersion(2);
  expect(await gc()).toMatchObject({
    removed: { blobs: 0 },
    kept: { blobs: 2, trees: 1 },
    keptUnpushed: { blobs: 2, trees: 1 },
  });
  expect(asked).toEqual([first.digest]);
  expect(objects()).toBe(6);
  onRemote.add(first.digest);
  expect(await gc()).toMatchObject({
    removed: { blobs: 2, trees: 1 },
    keptUnpushed: { blobs: 0, trees: 0 },
    deadRecords: 0,
  });
  expect(objects()).toBe(3);
  expect(countRecords(store)).toBe(2);
});

test('the history of git protects what no record names, and is not read when there is nothing to delete', async () => {
  git('init', '-q');
  const first = await commitVersion(1, { record: false });
  commitAll();
  await gc();
  expect(asked).toEqual([]);
  await commitVersion(2, { record: false });
  expect(await gc()).toMatchObject({ keptUnpushed: { blobs: 2, trees: 1 } });
  expect(asked).toEqual([first.digest]);
  expect(await gc({ isOnRemote: async () => 'unknown' })).toMatchObject({ keptUnpushed: { blobs: 2 } });
  expect(await gc({ allowUnpushed: true })).toMatchObject({ removed: { blobs: 2, trees: 1 } });
  expect(objects()).toBe(3);
});

test('records and notes of data that was given up go with it', async () => {
  await commitVersion(1);
  const kept = await storeTree(store, version(5));
  writeKept(store, {
    root: kept,
    path: parseRelPath('p/data'),
    workspace: root,
    at: now.toISOString(),
    reason: 'edited',
  });
  await commitVersion(2);
  expect(await gc()).toMatchObject({ keptUnpushed: { blobs: 4, trees: 2 }, deadRecords: 0 });
  expect(await gc({ allowUnpushed: true, dryRun: true })).toMatchObject({ removed: { blobs: 4 }, deadRecords: 0 });
  expect(await gc({ allowUnpushed: true })).toMatchObject({ removed: { blobs: 4, trees: 2 }, deadRecords: 2 });
  expect(countRecords(store)).toBe(1);
  expect(listKept(store)).toEqual([]);
});

test('outs that are never pushed are not protected', async () => {
  await commitVersion(1);
  await commitVersion(2);
  expect(await gc({ isPushed: (path) => path !== 'p/data' })).toMatchObject({ removed: { blobs: 2 }, deadRecords: 1 });
  expect(asked).toHaveLength(1);
  expect(objects()).toBe(3);
});

test('scopes of the history add up', async () => {
  git('init', '-q', '-b', 'main');
  const commits: string[] = [];
  for (let number = 1; number <= 4; number++) {
    onRemote.add((await commitVersion(number)).digest);
    commits.push(commitAll());
  }
  git('tag', 'v2', commits[1] ?? '');
  git('branch', 'old', commits[0] ?? '');
  expect(await gc({ scope: { allCommits: true } })).toMatchObject({ kept: { trees: 4 }, removed: { trees: 0 } });
  expect(await gc({ scope: { allTags: true, num: 2, allBranches: true }, dryRun: true })).toMatchObject({
    kept: { trees: 4 },
  });
  expect(await gc({ scope: { allTags: true, revs: ['old'] } })).toMatchObject({
    kept: { trees: 3 },
    removed: { trees: 1 },
  });
  expect(await gc({ scope: { num: 1 } })).toMatchObject({ kept: { trees: 1 }, removed: { trees: 2 } });
  await expect(gc({ scope: { revs: ['nope'] } })).rejects.toMatchObject({ code: 'ERR_REVISION' });
});

test('a shallow clone stops a history scope, and nothing else', async () => {
  git('init', '-q');
  await commitVersion(1);
  commitAll();
  await commitVersion(2);
  commitAll();
  fs.renameSync(root, join(dir, 'origin'));
  execFileSync('git', ['clone', '-q', '--depth', '1', `file://${join(dir, 'origin')}`, root], { stdio: 'pipe' });
  fs.renameSync(join(dir, 'origin/.sluice'), join(root, '.sluice'));
  await expect(gc({ scope: { allTags: true } })).rejects.toMatchObject({ code: 'ERR_SHALLOW_CLONE' });
  await expect(gc({ scope: { revs: ['HEAD'] } })).rejects.toMatchObject({ code: 'ERR_SHALLOW_CLONE' });
  expect(objects()).toBe(6);
  expect(await gc()).toMatchObject({ kept: { trees: 1 }, keptUnpushed: { trees: 1 } });
});

test('results that were recorded lately stay when asked for, the oldest first to go', async () => {
  onRemote.add((await commitVersion(1, { at: '2026-11-01T00:00:00.000Z' })).digest);
  onRemote.add((await commitVersion(2, { at: '2026-11-18T00:00:00.000Z' })).digest);
  onRemote.add((await commitVersion(3, { at: '2026-11-19T00:00:00.000Z' })).digest);
  onRemote.add((await commitVersion(4)).digest);
  const day = 24 * 3600 * 1000;
  expect(await gc({ scope: { recordsMs: 14 * day } })).toMatchObject({ kept: { trees: 3 }, removed: { trees: 1 } });
  expect(await gc({ scope: { recordsMs: 14 * day }, maxBytes: 15 })).toMatchObject({
    kept: { trees: 2 },
    removed: { trees: 1 },
  });
  expect(await gc({ scope: { recordsMs: 14 * day } })).toMatchObject({ kept: { trees: 2 }, removed: { trees: 0 } });
});

test('every workspace of a shared store counts, and one that cannot be read stops the collection', async () => {
  const other = makeWorkspace('other');
  registerWorkspace(store, other, now);
  await commitVersion(1, { workspace: other, record: false });
  await commitVersion(2, { record: false });
  await storeTree(store, { garbage: 'x' });
  fs.renameSync(other, join(dir, 'away'));
  const stopped = await gc().catch((error: unknown) => error);
  expect(stopped).toMatchObject({
    code: 'ERR_GC_STOPPED',
    hint: expect.stringContaining(`--forget-workspace ${other}`),
  });
  expect(objects()).toBe(8);
  fs.renameSync(join(dir, 'away'), other);
  write(join(other, 'p/sluice-lock.json'), '<<<<<<< ours\n');
  await expect(gc()).rejects.toMatchObject({
    code: 'ERR_GC_STOPPED',
    message: expect.stringContaining('merge markers'),
  });
  expect(objects()).toBe(8);
  await commitVersion(1, { workspace: other, record: false });
  expect(await gc()).toMatchObject({ kept: { trees: 2 }, removed: { trees: 1 } });
  expect(await gc({ forget: [other] })).toMatchObject({ kept: { trees: 1 }, removed: { trees: 1 } });
});

test('a lock of a project that is declared wrongly, or only known to git, counts too', async () => {
  git('init', '-q');
  await commitVersion(1, { record: false });
  write(join(root, 'p/project.json'), '{"name": ');
  expect(await gc()).toMatchObject({ kept: { trees: 1 } });
  commitAll();
  fs.rmSync(join(root, 'p/project.json'));
  expect(await gc()).toMatchObject({ kept: { trees: 1 } });
});

test('running stages are asked at each look', async () => {
  const made = await storeTree(store, version(1));
  let looks = 0;
  const running = () => (++looks === 2 ? [{ root: made, why: 'running' }] : []);
  expect(await gc({ running })).toMatchObject({ kept: { trees: 1 }, removed: { trees: 0 } });
});

test('damaged locks of the history are told and left out; a damaged record stops', async () => {
  git('init', '-q');
  write(join(root, 'p/sluice-lock.json'), '<<<<<<< ours\n');
  commitAll();
  await commitVersion(1);
  await storeTree(store, { garbage: 'x' });
  expect(await gc({ dryRun: true })).toMatchObject({ removed: { trees: 1 } });
  expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'ERR_LOCK_CONFLICT' }));
  const [prefix = ''] = fs.readdirSync(store.layout.records);
  const [name = ''] = fs.readdirSync(join(store.layout.records, prefix));
  write(join(store.layout.records, prefix, name), '{');
  await expect(gc()).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  expect(objects()).toBe(5);
  expect(await gc({ allowUnpushed: true })).toMatchObject({ removed: { trees: 1 } });
});

test('explains what keeps an object', async () => {
  git('init', '-q');
  await commitVersion(1);
  commitAll();
  const second = await commitVersion(2);
  const context: RunGcOptions = { store, root, scope: {}, now, emit: () => undefined, isOnRemote: async () => false };
  const b = await explainGc('p/data/b', context);
  expect(b).toEqual({
    digest: digestOf('b 2'),
    copies: ['pack'],
    keptBy: [`b of p/data in p/sluice-lock.json of ${root}`],
  });
  expect((await explainGc('p/data', context)).digest).toBe(second.digest);
  const { keptBy } = await explainGc(digestOf('a 1'), context);
  expect(keptBy).toEqual([`a of p/data in the record of p:make from ${now.toISOString()}, not on a remote`]);
  expect(await explainGc(digestOf('nothing'), context)).toMatchObject({ copies: [], keptBy: [] });
  await expect(explainGc('p/none', context)).rejects.toMatchObject({ code: 'ERR_USAGE' });
});
