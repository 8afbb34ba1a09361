import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { useTempDir } from '../testing/temp-dir.js';
import { pushFailure } from './push-failure.js';
import type { PushReport } from './reports.js';

const temp = useTempDir();
const opened: Engine[] = [];
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

const track = (...outs: unknown[]) => ({ executor: '@sluice/nx:track', options: { outs } });
const stage = (command: string, options: object = {}) => ({
  executor: '@sluice/nx:stage',
  options: { command, outs: ['{projectRoot}/out'], ...options },
});

interface Here {
  readonly engine: Engine;
  readonly events: SluiceEvent[];
  write(path: string, content: string | Buffer): void;
  remove(path: string): void;
  warnings(): string[];
  run(target: string): ReturnType<Engine['runStage']>;
  /** The same workspace with a store that holds nothing, and without data. */
  empty(): Promise<Here>;
}

/** A workspace with the project `p` and remotes in directories; the first is the default. */
async function open(targets: Record<string, unknown>, remotes: readonly string[] = ['near', 'far']): Promise<Here> {
  const files = {
    'nx.json': '{}',
    'p/project.json': JSON.stringify({ name: 'p', targets }),
    'sluice.json': JSON.stringify({
      defaultRemote: remotes[0],
      remotes: Object.fromEntries(remotes.map((name) => [name, { url: `file://${temp(name)}` }])),
    }),
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return await openHere();
}

function write(path: string, content: string | Buffer): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

async function openHere(): Promise<Here> {
  const events: SluiceEvent[] = [];
  const emit = (event: SluiceEvent): number => events.push(event);
  const engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, emit });
  opened.push(engine);
  return {
    engine,
    events,
    write,
    remove: (path) => fs.rmSync(temp('ws', path), { recursive: true, force: true }),
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    run: (target) => engine.runStage({ id: { project: 'p', target } }, { force: false, wait: true, materialize: true }),
    empty: async () => {
      await engine.close();
      for (const path of ['.sluice', 'p/data', 'p/more', 'p/out']) {
        fs.rmSync(temp('ws', path), { recursive: true, force: true });
      }
      return await openHere();
    },
  };
}

function filesOf(remote: string, part: RegExp): string[] {
  return fs.readdirSync(temp(remote), { recursive: true, encoding: 'utf8' }).filter((name) => part.test(name));
}

/** As if a mount had gone. */
function unmount(remote: string): void {
  fs.renameSync(temp(remote), temp(`${remote}-away`));
}

const sentTo = ({ remotes }: PushReport) =>
  remotes.map(({ remote, files, error }) => [remote, files.sent, error?.code]);

describe('pushing', () => {
  test('each mirror gets everything, and is counted by itself', async () => {
    const here = await open({ data: track('{projectRoot}/data') });
    for (let i = 0; i < 5; i++) here.write(`p/data/${i}`, `${i}`);
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['near'] });
    const report = await here.engine.push({ select: [], remotes: ['near', 'far'] });
    expect(report).toMatchObject({ remote: 'near', files: { sent: 5, reused: 5 } });
    expect(sentTo(report)).toEqual([
      ['near', 0, undefined],
      ['far', 5, undefined],
    ]);
    const [near, far] = report.remotes;
    expect(near?.requests.put).toBe(0);
    expect(report.requests.put).toBe(far?.requests.put);
    expect(pushFailure(report)).toBeUndefined();
    expect(await here.engine.status({ select: [], remotes: ['far', 'near'] })).toMatchObject({
      stages: [{ outs: [{ remote: { near: 'complete', far: 'complete' } }] }],
    });
  });

  test('one that is down keeps nothing from the others, and is the failure of the push', async () => {
    const here = await open({ data: track('{projectRoot}/data') }, ['near', 'gone', 'far']);
    here.write('p/data', 'bytes');
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['gone'] });
    unmount('gone');
    const report = await here.engine.push({ select: [], remotes: ['near', 'gone', 'far'] });
    expect(sentTo(report)).toEqual([
      ['near', 1, undefined],
      ['gone', 0, 'ERR_REMOTE_DOWN'],
      ['far', 1, undefined],
    ]);
    expect(pushFailure(report)).toMatchObject({
      code: 'ERR_REMOTE_DOWN',
      exitCode: 3,
      details: { files: { sent: 2 } },
    });
    expect(fs.existsSync(temp('gone'))).toBe(false);
    await expect(here.engine.push({ select: [], remotes: ['gone'] })).rejects.toMatchObject({
      code: 'ERR_REMOTE_DOWN',
    });
  });

  test('each out goes to its own remote, with the record of its stage, and a result in two places is restored', async () => {
    const outs = ['{projectRoot}/out', { path: '{projectRoot}/more', remote: 'far' }];
    const here = await open({ make: stage('echo 1 > out; echo 2 > more', { outs }) });
    await here.run('make');
    expect(sentTo(await here.engine.push({ select: [] }))).toEqual([
      ['far', 1, undefined],
      ['near', 1, undefined],
    ]);
    expect(await here.engine.status({ select: [], remotes: 'own' })).toMatchObject({
      stages: [
        {
          outs: [
            { path: 'p/more', remote: { far: 'complete' } },
            { path: 'p/out', remote: { near: 'complete' } },
          ],
        },
      ],
    });
    here.remove('p/sluice-lock.json');
    const fresh = await here.empty();
    expect(await fresh.run('make')).toMatchObject({ outcome: 'restored', source: 'far, near' });
    expect(fs.readFileSync(temp('ws', 'p/more'), 'utf8')).toBe('2\n');
  });
});

describe('reading', () => {
  test('goes to the default remote, then to the others in the order of sluice.json', async () => {
    const here = await open({ data: track('{projectRoot}/data') }, ['near', 'z', 'a']);
    here.write('p/data', 'bytes');
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['a', 'z'] });
    expect(here.engine.remotes().map(({ name }) => name)).toEqual(['near', 'z', 'a']);
    const fresh = await here.empty();
    expect(await fresh.engine.pull({ select: [] })).toMatchObject({
      remote: 'near',
      sources: [{ remote: 'z', bytes: 5 }],
      workspace: { written: 1 },
    });
    expect(fs.existsSync(temp('near'))).toBe(false);
  });

  test('with names, only those are asked, in their order', async () => {
    const here = await open({ data: track('{projectRoot}/data') }, ['near', 'z', 'a']);
    here.write('p/data', 'bytes');
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['a', 'z'] });
    const fresh = await here.empty();
    await expect(fresh.engine.fetch({ select: [], remotes: ['near'] })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCAL',
    });
    expect(await fresh.engine.fetch({ select: [], remotes: ['a', 'z'] })).toMatchObject({ sources: [{ remote: 'a' }] });
  });

  test.each([
    ['lost', (path: string) => fs.rmSync(path)],
    ['damaged', (path: string) => damage(path)],
  ])('what one remote has %s comes from the next, and only that', async (_, breakFile) => {
    const here = await open({ data: track('{projectRoot}/data', '{projectRoot}/more') });
    here.write('p/data/a', randomBytes(9 * 1024 * 1024));
    here.write('p/data/b', randomBytes(9 * 1024 * 1024));
    here.write('p/more', 'small');
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['near', 'far'] });
    const [blob = ''] = filesOf('near', /blobs\/.*[0-9a-f]{20}$/);
    fs.chmodSync(temp('near', blob), 0o644);
    breakFile(temp('near', blob));
    const fresh = await here.empty();
    const report = await fresh.engine.pull({ select: [] });
    expect(report).toMatchObject({ files: { received: 3, reused: 0 }, workspace: { written: 3 } });
    expect(report.sources).toEqual([
      { remote: 'near', bytes: 9 * 1024 * 1024 + 5 },
      { remote: 'far', bytes: 9 * 1024 * 1024 },
    ]);
    expect((await fresh.engine.verify({ deep: true })).findings).toEqual([]);
  });

  test('one that is down is told of once, and the next is asked', async () => {
    const here = await open({ data: track('{projectRoot}/data'), make: stage('echo 1 > out') });
    here.write('p/data', 'bytes');
    await here.engine.commit({ select: ['p:data'] });
    await here.run('make');
    await here.engine.push({ select: [], remotes: ['near', 'far'] });
    // What was never seen may be empty; what was seen is down.
    const seen = await here.empty();
    await seen.engine.fetch({ select: ['p:data'] });
    unmount('near');
    expect(await seen.engine.pull({ select: [] })).toMatchObject({ sources: [{ remote: 'far' }] });
    expect(seen.warnings().filter((text) => text.includes('remote near is down'))).toHaveLength(1);
    expect(fs.existsSync(temp('near'))).toBe(false);
  });

  test('where all are down, what is here is enough, and what is not is named', async () => {
    const here = await open({ data: track('{projectRoot}/data'), more: track('{projectRoot}/more') });
    here.write('p/data', 'bytes');
    here.write('p/more', 'more');
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['near', 'far'] });
    const fresh = await here.empty();
    await fresh.engine.fetch({ select: ['p:data'] });
    unmount('near');
    unmount('far');
    // What an unmounted disk leaves behind.
    fs.mkdirSync(temp('near'));
    expect(await fresh.engine.pull({ select: ['p:data'] })).toMatchObject({ workspace: { written: 1 } });
    await expect(fresh.engine.pull({ select: ['p:more'] })).rejects.toMatchObject({
      code: 'ERR_REMOTE_DOWN',
      message: expect.stringContaining('is needed and not in the store'),
    });
  });

  test('a remote that was never used is told when something is looked for there, and when it is made', async () => {
    const here = await open({ data: track('{projectRoot}/data') });
    here.write('p/data', 'bytes');
    await here.engine.commit({ select: [] });
    await here.engine.status({ select: [], remotes: 'own' });
    expect(here.warnings()).toEqual([expect.stringContaining('remote near was never used: nothing is at file:///')]);
    expect(await here.engine.pingRemote('near')).toMatchObject({ remote: 'near', used: false });
    expect(here.warnings()).toHaveLength(2);
    expect(fs.existsSync(temp('near'))).toBe(false);
    await here.engine.push({ select: [] });
    const notes = here.events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
    expect(notes).toEqual([expect.stringContaining('remote near was never used before: it is now at file:///')]);
    expect(await here.engine.pingRemote('near')).toMatchObject({ used: true });
    expect(here.warnings()).toHaveLength(2);
    // A clone that has never seen the share cannot know that it is not mounted, and says what it sees.
    unmount('near');
    const fresh = await here.empty();
    await expect(fresh.engine.pull({ select: [] })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
    expect(fresh.warnings().filter((text) => text.includes('remote near was never used'))).toHaveLength(1);
  });

  test('records of the second remote are used when the first has none', async () => {
    const here = await open({ make: stage('echo 1 > out') });
    await here.run('make');
    await here.engine.push({ select: [], remotes: ['far'] });
    here.remove('p/sluice-lock.json');
    const fresh = await here.empty();
    expect(await fresh.run('make')).toMatchObject({ outcome: 'restored', source: 'far' });
  });
});

test('a limit ends the fetch at the first file that would cross it, whatever out and remote it belongs to', async () => {
  const outs = ['{projectRoot}/data', { path: '{projectRoot}/more', remote: 'far' }];
  const here = await open({ data: track(...outs) });
  here.write('p/data/1', Buffer.alloc(100, 1));
  here.write('p/data/2', Buffer.alloc(1000, 2));
  here.write('p/data/3', Buffer.alloc(10, 3));
  here.write('p/data/4', Buffer.alloc(1000, 2));
  here.write('p/more', Buffer.alloc(10, 4));
  await here.engine.commit({ select: [] });
  await here.engine.push({ select: [] });
  const fresh = await here.empty();
  expect(await fresh.engine.fetch({ select: [], maxBytes: 500 })).toMatchObject({
    files: { received: 1 },
    bytes: { received: 100 },
    left: { files: 4, bytes: 1020 },
  });
  expect(await fresh.engine.fetch({ select: [], maxBytes: 1100 })).toMatchObject({
    files: { received: 4, reused: 1 },
    bytes: { received: 1020, reused: 100 },
    left: { files: 0, bytes: 0 },
  });
});

test('a collection drops what any remote holds, and keeps what the one that holds it does not answer for', async () => {
  const here = await open({ data: track('{projectRoot}/data') });
  for (const text of ['one', 'two', 'three']) {
    here.write('p/data', text);
    await here.engine.commit({ select: [] });
    if (text === 'one') await here.engine.push({ select: [], remotes: ['far'] });
    if (text === 'two') await here.engine.push({ select: [], remotes: ['near'] });
  }
  unmount('far');
  expect(await here.engine.gc({ dryRun: true })).toMatchObject({ removed: { blobs: 1 }, keptUnpushed: { blobs: 1 } });
  expect(here.warnings().filter((text) => text.includes('far is down'))).toHaveLength(1);
  fs.renameSync(temp('far-away'), temp('far'));
  expect(await here.engine.gc({})).toMatchObject({ removed: { blobs: 2 }, keptUnpushed: { blobs: 0 } });
});

function damage(path: string): void {
  const bytes = fs.readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  fs.writeFileSync(path, bytes);
}

describe('reading one file of a version', () => {
  const read = async ({ engine }: Here, select: string): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of (await engine.cat({ select })).chunks) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  test.each([
    ['has lost it', () => fs.rmSync(temp('near'), { recursive: true })],
    [
      'has lost its pack',
      () => {
        for (const name of filesOf('near', /[.]pack$/)) fs.rmSync(temp('near', name));
      },
    ],
    ['is away', () => unmount('near')],
  ])('takes it from the next remote where the first %s', async (_, lose) => {
    const here = await open({ data: track('{projectRoot}/data') });
    for (let i = 0; i < 5; i++) here.write(`p/data/${i}`, `file ${i}`);
    await here.engine.commit({ select: [] });
    await here.engine.push({ select: [], remotes: ['near', 'far'] });
    lose();
    expect(await read(await here.empty(), 'p:data#3')).toBe('file 3');
  });

  test('names all remotes that were asked', async () => {
    const here = await open({ data: track('{projectRoot}/data') });
    here.write('p/data/a', 'a');
    await here.engine.commit({ select: [] });
    const { engine } = await here.empty();
    await expect(engine.ls({ select: [] })).rejects.toMatchObject({
      message: expect.stringContaining('near, far'),
      details: { remotes: ['near', 'far'] },
    });
  });
});
