import fs from 'node:fs';
import { type TestRepository, tracked, useRepositories } from '../testing/repository.js';

const { create, clone, temp } = useRepositories();

/** Commits named by their subjects: one, two on main; three on dev; a merge of both that holds all files; last, which touches no data. */
async function history(): Promise<TestRepository> {
  const w = await create({ 'p/project.json': tracked('{projectRoot}/raw'), 'p/raw/a': '1', 'p/raw/b': '22' });
  await save(w, 'one');
  w.git('branch', 'dev');
  w.write({ 'p/raw/a': '1111' });
  await save(w, 'two');
  w.git('checkout', '-q', 'dev');
  await w.engine.checkout({ select: [] });
  w.write({ 'p/raw/new/c': '333' });
  fs.renameSync(w.at('p/raw/b'), w.at('p/raw/moved'));
  await save(w, 'three');
  const dev = fs.readFileSync(w.at('p/sluice-lock.json'), 'utf8');
  w.git('checkout', '-q', 'main');
  w.git('merge', '-q', '--no-commit', '-s', 'ours', 'dev');
  w.write({ 'p/sluice-lock.json': dev });
  await w.engine.checkout({ select: [], force: true });
  w.write({ 'p/raw/a': '1111' });
  await save(w, 'merge');
  w.write({ 'notes.md': 'no data' });
  w.commit('last');
  await w.engine.push({ select: [], allCommits: true });
  return w;
}

async function save(w: TestRepository, subject: string): Promise<void> {
  await w.engine.commit({ select: [] });
  w.commit(subject);
}

const log = async (w: TestRepository, options: Partial<Parameters<TestRepository['engine']['log']>[0]> = {}) =>
  w.engine.log({ select: ['p:data'], ...options });

test('a log has the commits that changed an out, with files, bytes, author, run and branches', async () => {
  const w = await history();
  const { commits, shallow } = await log(w);
  expect(shallow).toBe(false);
  const subjects = new Map(commits.map(({ commit, subject }) => [commit, subject]));
  expect(
    commits.map(({ subject, parents, outs, refs }) => [
      subject,
      parents.map((parent) => subjects.get(parent)),
      outs.map(({ change, before, after }) => [change, before?.files, before?.bytes, after?.files, after?.bytes]),
      refs,
    ]),
  ).toEqual([
    ['merge', ['two', 'three'], [['modified', 2, 6, 3, 9]], ['refs/heads/main']],
    ['three', ['one'], [['modified', 2, 3, 3, 6]], ['refs/heads/dev']],
    ['two', ['one'], [['modified', 2, 3, 2, 6]], []],
    ['one', [], [['added', undefined, undefined, 2, 3]], []],
  ]);
  expect(commits[0]?.author).toEqual({ name: 'Ada', email: 'ada@example.com' });
  for (const { outs } of commits) {
    for (const { made } of outs) expect(Date.parse(made?.at ?? '')).toBeGreaterThan(Date.now() - 600_000);
  }
  expect((await log(w, { num: 1 })).commits.map(({ subject }) => subject)).toEqual(['merge']);
  expect((await log(w, { revs: ['dev'] })).commits.map(({ subject }) => subject)).toEqual(['three', 'one']);
});

test('counts of files come from trees, which a clone gets without a blob', async () => {
  const fresh = await clone(await history(), 'fresh');
  const { commits } = await log(fresh, { stat: true, remotes: 'own' });
  expect(commits.map(({ subject, outs }) => [subject, ...outs.map(({ stat }) => Object.values(stat ?? {}))])).toEqual([
    ['merge', [1, 0, 0, 1, 3, 0]],
    ['three', [1, 0, 0, 1, 3, 0]],
    ['two', [0, 0, 1, 0, 4, 1]],
    ['one', [2, 0, 0, 0, 3, 0]],
  ]);
  expect(commits.flatMap(({ outs }) => outs.map(({ remote }) => remote))).toEqual(
    Array.from({ length: 4 }, () => ({ shelf: 'complete' })),
  );
  expect(commits[0]?.refs).toEqual(['refs/heads/main', 'refs/remotes/origin/main']);
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });
});

test('each out is asked for on its own remote', async () => {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/raw', { path: '{projectRoot}/made', remote: 'attic' }),
    'p/raw/a': '1',
    'p/made/b': '2',
  });
  await w.engine.addRemote({ name: 'attic', url: `file://${temp('attic')}` });
  await save(w, 'one');
  await w.engine.push({ select: [] });
  const remotesOf = async (remotes: readonly string[] | 'own') => {
    const { commits } = await log(w, { remotes });
    const { outs } = await w.engine.summary({ select: ['p'], remotes });
    const { stages } = await w.engine.status({ select: ['p'], remotes });
    return [commits[0]?.outs, outs, stages[0]?.outs].map((all) => all?.map(({ path, remote }) => [path, remote]));
  };
  const own = [
    ['p/made', { attic: 'complete' }],
    ['p/raw', { shelf: 'complete' }],
  ];
  expect(await remotesOf('own')).toEqual([own, own, own]);
  const [first] = await remotesOf(['attic']);
  expect(first).toEqual([own[0], ['p/raw', { attic: 'absent' }]]);
  await expect(log(w, { remotes: ['none'] })).rejects.toMatchObject({ code: 'ERR_REMOTE_UNKNOWN' });
});

test('a pattern leaves the commits that changed a file of it', async () => {
  const w = await history();
  const subjects = async (pattern: string) =>
    (await log(w, { select: [`p:data#${pattern}`] })).commits.map(({ subject }) => subject);
  expect(await subjects('a')).toEqual(['two', 'one']);
  expect(await subjects('new/**')).toEqual(['merge', 'three']);
  expect(await subjects('none')).toEqual([]);
});

test('versions that are nowhere any more are passed over with a warning', async () => {
  const w = await history();
  const fresh = await clone(w, 'fresh');
  const { commits } = await log(fresh);
  const gone = commits[3]?.outs[0]?.after?.digest.slice(7) ?? '';
  fs.rmSync(temp('shelf/shared/maps', gone.slice(0, 2), `${gone.slice(2)}.map`));
  const stats = (await log(fresh, { stat: true })).commits.map(({ outs }) => outs.map(({ stat }) => stat === null));
  expect(stats).toEqual([[false], [true], [true], [true]]);
  expect(fresh.warnings()).toEqual([
    expect.stringContaining(`(sha256:${gone}) is not in the store, nor on remote shelf`),
  ]);
});

test('blame names the last commit of each file, through merges and without blobs', async () => {
  const w = await history();
  const fresh = await clone(w, 'fresh');
  for (const one of [w, fresh]) {
    const { files } = await one.engine.blame({ select: ['p:data'] });
    expect(files.map(({ path, commit, orEarlier }) => [path, commit?.subject, orEarlier])).toEqual([
      ['a', 'two', false],
      ['moved', 'three', false],
      ['new/c', 'three', false],
    ]);
    const old = await one.engine.blame({ select: ['p:data#?'], rev: 'HEAD~2' });
    expect(old.files.map(({ path, commit }) => [path, commit?.subject])).toEqual([
      ['a', 'two'],
      ['b', 'one'],
    ]);
  }
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });
  w.write({ 'p/raw/a': 'by hand', 'p/raw/d': 'new' });
  await w.engine.commit({ select: [] });
  const { files } = await w.engine.blame({ select: ['p:data#?'] });
  expect(files.map(({ path, commit }) => [path, commit])).toEqual([
    ['a', null],
    ['d', null],
  ]);
});

test('blame says "or earlier" where older trees are lost', async () => {
  const fresh = await clone(await history(), 'fresh');
  const { commits } = await log(fresh);
  const gone = commits[3]?.outs[0]?.after?.digest.slice(7) ?? '';
  fs.rmSync(temp('shelf/shared/maps', gone.slice(0, 2), `${gone.slice(2)}.map`));
  const { files } = await fresh.engine.blame({ select: ['p:data#moved'] });
  expect(files.map(({ commit, orEarlier }) => [commit?.subject, orEarlier])).toEqual([['three', true]]);
});

test('a lock of the history that cannot be read counts as the one before', async () => {
  const w = await create({ 'p/project.json': tracked('{projectRoot}/raw'), 'p/raw/a': '1' });
  await save(w, 'one');
  const good = fs.readFileSync(w.at('p/sluice-lock.json'), 'utf8');
  w.write({ 'p/sluice-lock.json': `<<<<<<< ours\n${good}` });
  w.commit('broken');
  w.write({ 'p/sluice-lock.json': good });
  w.commit('repaired');
  expect((await log(w)).commits.map(({ subject }) => subject)).toEqual(['one']);
  expect(w.warnings()).toEqual([
    expect.stringMatching(/^[0-9a-f]{12}:p\/sluice-lock.json holds merge markers; it is passed over$/),
  ]);
});

test('names that look like options, and repositories without commits or without git, do no harm', async () => {
  const w = await create({ 'p/project.json': tracked('{projectRoot}/raw'), 'p/raw/a': '1' });
  expect(await log(w)).toEqual({ commits: [], shallow: false });
  expect((await w.engine.blame({ select: [] })).files).toEqual([]);
  await save(w, 'one');
  for (const rev of ['--output=/tmp/x', '-n1', '--all', '']) {
    await expect(log(w, { revs: [rev] })).rejects.toMatchObject({ code: 'ERR_REVISION' });
    await expect(w.engine.blame({ select: [], rev })).rejects.toMatchObject({ code: 'ERR_REVISION' });
  }
  fs.rmSync(w.at('.git'), { recursive: true });
  await expect(log(w)).rejects.toMatchObject({ code: 'ERR_REVISION' });
});
