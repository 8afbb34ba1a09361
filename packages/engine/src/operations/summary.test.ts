import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tracked, useRepositories } from '../testing/repository.js';

const { create, clone, temp } = useRepositories();

function du(path: string): number {
  return Number(execFileSync('du', ['-s', '-k', path], { encoding: 'utf8' }).split('\t')[0]) * 1024;
}

test('a summary says how much there is, and where; disk use is that of du', async () => {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/a', '{projectRoot}/b', { path: '{projectRoot}/mine', push: false }),
    'p/a/1': 'x'.repeat(1000),
    'p/a/2': 'x'.repeat(1000),
    'p/a/deep/3': 'y'.repeat(100_000),
    'p/b/1': 'x'.repeat(1000),
    'p/b/4': 'zz',
    'p/mine': 'm',
  });
  await w.engine.commit({ select: [] });
  w.commit('one');
  await w.engine.push({ select: [] });
  const sums = async (of: typeof w) =>
    (await of.engine.summary({ select: [] })).outs.map(({ path, files, bytes, distinct, own, stored, remote }) => [
      path,
      [files, bytes],
      [distinct, own, stored].map((sum) => (sum === null ? null : [sum.files, sum.bytes])),
      remote,
    ]);
  const report = await w.engine.summary({ select: [] });
  expect(await sums(w)).toEqual([
    [
      'p/a',
      [3, 102_000],
      [
        [2, 101_000],
        [1, 100_000],
        [3, 102_000],
      ],
      { shelf: 'complete' },
    ],
    [
      'p/b',
      [2, 1002],
      [
        [2, 1002],
        [1, 2],
        [2, 1002],
      ],
      { shelf: 'complete' },
    ],
    [
      'p/mine',
      [1, 1],
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      {},
    ],
  ]);
  expect(report).toMatchObject({ files: 6, bytes: 103_003, distinct: { files: 4, bytes: 101_003 } });
  expect(report.store.disk.bytes).toBe(du(w.at('.sluice')));
  for (const { path, disk } of report.outs) expect(disk.bytes).toBe(du(w.at(path)));

  const fresh = await clone(w, 'fresh');
  const [a] = await sums(fresh);
  expect(a).toEqual([
    'p/a',
    [3, 102_000],
    [
      [2, 101_000],
      [1, 100_000],
      [0, 0],
    ],
    { shelf: 'complete' },
  ]);
  expect((await fresh.engine.summary({ select: [] })).outs[0]?.disk).toEqual({ files: 0, bytes: 0 });
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });

  const offline = await clone(w, 'offline', { offline: true });
  expect((await sums(offline))[0]).toEqual(['p/a', [3, 102_000], [null, null, null], { shelf: 'unknown' }]);
  expect(offline.warnings()[0]).toContain('Sluice is offline');
});

test('status says how much of an out the store has', async () => {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/a'),
    'p/a/1': '1',
    'p/a/2': '22',
    'p/a/b/3': '333',
  });
  await w.engine.commit({ select: [] });
  w.commit('one');
  await w.engine.push({ select: [] });
  const fresh = await clone(w, 'fresh');
  const place = async () => {
    const { stages } = await fresh.engine.status({ select: [], remotes: 'default' });
    const { workspace, store, stored, remote } = stages[0]?.outs[0] ?? {};
    return [workspace, store, stored, remote];
  };
  const shelf = 'complete';
  expect(await place()).toEqual(['absent', 'absent', { files: 0, bytes: 0 }, { shelf }]);
  await fresh.engine.pull({ select: ['p:data#b/*'] });
  expect(await place()).toEqual(['partial', 'partial', { files: 1, bytes: 3 }, { shelf }]);
  await fresh.engine.pull({ select: [] });
  expect(await place()).toEqual(['present', 'complete', { files: 3, bytes: 6 }, { shelf }]);
  fs.rmSync(temp('shelf'), { recursive: true });
  fs.mkdirSync(temp('shelf'));
  expect((await place()).slice(0, 3)).toEqual(['present', 'complete', { files: 3, bytes: 6 }]);
});
