import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

// A colleague has forgotten to push one dataset of three: everybody else gets the other two, and is told which one it is.

const temp = useTempDir();
let engine: Engine;
afterEach(() => engine.close());

const reopen = async (): Promise<void> => {
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
};
const write = (path: string, content: string | Buffer): void => {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
};
const isThere = (path: string): boolean => fs.existsSync(temp('ws', path));

const NAMES = ['a', 'b', 'c'];
/** `b` is large, so that it has a key of its own. */
const LARGE = randomBytes(9 * 1024 * 1024);

beforeEach(async () => {
  write('nx.json', '{}');
  const targets = NAMES.map((name) => [
    name,
    { executor: '@sluice/nx:track', options: { outs: [`{projectRoot}/${name}`] } },
  ]);
  write('p/project.json', JSON.stringify({ name: 'p', targets: Object.fromEntries(targets) }));
  for (const name of NAMES) write(`p/${name}/file`, name === 'b' ? LARGE : name);
  await reopen();
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
  await engine.commit({ select: [] });
});

/** As on another machine, which has nothing but what git has. */
const forgetData = async (): Promise<void> => {
  await engine.close();
  for (const path of ['.sluice', ...NAMES.map((name) => `p/${name}`)])
    fs.rmSync(temp('ws', path), { recursive: true, force: true });
  await reopen();
};

const LACK = { path: 'p/b', project: 'p', target: 'b' };

test('pull brings all that is there, and names what is not', async () => {
  await engine.push({ select: ['p:a', 'p:c'] });
  await forgetData();
  await expect(engine.pull({ select: [] })).rejects.toMatchObject({
    code: 'ERR_NOT_LOCAL',
    message: expect.stringMatching(/p\/b of p:b \(1 file, 9\.0 MiB\)$/),
    details: { outs: [LACK] },
  });
  expect(NAMES.filter((name) => isThere(`p/${name}/file`))).toEqual(['a', 'c']);
});

test('several that are not there are all named', async () => {
  await engine.push({ select: ['p:c'] });
  await forgetData();
  await expect(engine.fetch({ select: [] })).rejects.toMatchObject({
    message: expect.stringMatching(/p\/a of p:a .*; and 1 more: p\/b of p:b$/),
    details: { outs: [{ target: 'a' }, { target: 'b' }] },
  });
  expect(await engine.fetch({ select: ['p:c'] })).toMatchObject({ files: { received: 0, reused: 1 } });
});

test('a copy that is damaged keeps nothing from the others', async () => {
  await engine.push({ select: [] });
  const [lost = 'none'] = fs
    .readdirSync(temp('shelf'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /blobs.*[0-9a-f]{62}$/.test(name));
  await forgetData();
  fs.rmSync(temp('shelf', lost));
  await expect(engine.pull({ select: [] })).rejects.toMatchObject({
    code: 'ERR_OBJECT_MISSING',
    message: expect.stringContaining('p/b of p:b'),
  });
  expect(NAMES.filter((name) => isThere(`p/${name}/file`))).toEqual(['a', 'c']);
});

test.each([
  ['all of a dataset', '.sluice'],
  ['a large file', `.sluice/objects`],
])('push sends what it can when %s is in no store, names the rest, and says how it gets there', async (_, lost) => {
  await engine.close();
  const hidden = temp('hidden');
  fs.renameSync(temp('ws', lost), hidden);
  await reopen();
  if (lost === '.sluice') await engine.commit({ select: ['p:a', 'p:c'] });
  else {
    for (const shard of fs.readdirSync(hidden)) {
      for (const name of fs.readdirSync(`${hidden}/${shard}`)) {
        if (fs.statSync(`${hidden}/${shard}/${name}`).size >= LARGE.length) continue;
        fs.mkdirSync(temp('ws', lost, shard), { recursive: true });
        fs.renameSync(`${hidden}/${shard}/${name}`, temp('ws', lost, shard, name));
      }
    }
  }
  await expect(engine.push({ select: [] })).rejects.toMatchObject({
    code: 'ERR_OBJECT_MISSING',
    message: expect.stringContaining('p/b of p:b'),
    hint: expect.stringContaining('sluice commit p:b'),
    details: { outs: [LACK] },
  });
  const maps = fs
    .readdirSync(temp('shelf'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.map$/.test(name));
  expect(maps).toHaveLength(2);
  const { digest = '' } = (await engine.status({ select: ['p:b'] })).stages[0]?.outs[0] ?? {};
  expect(digest).toMatch(/^sha256:/);
  expect(maps.some((name) => name.includes(String(digest).slice(-60)))).toBe(false);
  await engine.commit({ select: ['p:b'] });
  expect(await engine.push({ select: [] })).toMatchObject({ files: { sent: 1, reused: 2 } });
  await forgetData();
  expect(await engine.pull({ select: [] })).toMatchObject({ workspace: { written: 3 } });
});

test('a pattern that fits no file is an error, what else was asked for comes', async () => {
  await engine.push({ select: [] });
  await forgetData();
  await expect(engine.pull({ select: ['p:a#fil', 'p:c'] })).rejects.toMatchObject({
    code: 'ERR_SELECTOR',
    message: 'p:a: no file of p/a fits the pattern',
    hint: expect.stringContaining('sluice ls p:a'),
  });
  expect(NAMES.filter((name) => isThere(`p/${name}/file`))).toEqual(['c']);
  expect(await engine.pull({ select: ['p:a#f*', 'p:a#nothing'] })).toMatchObject({ workspace: { written: 1 } });
  await expect(engine.fetch({ select: ['p:a#fil'] })).rejects.toMatchObject({ code: 'ERR_SELECTOR' });
});
