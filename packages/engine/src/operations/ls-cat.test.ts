import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { SluiceError } from '../errors.js';
import { type TestRepository, tracked, useRepositories } from '../testing/repository.js';
import type { CatOptions } from './cat.js';

const { create, clone, temp } = useRepositories();
const LARGE = randomBytes(9_500_000);

/** Two versions on the remote: files, directories, an executable, a link, an empty directory, hostile names. */
async function twoVersions(): Promise<TestRepository> {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/raw', '{projectRoot}/one.csv'),
    'p/raw/a.txt': 'first',
    'p/raw/1999/1.jpg': 'one',
    'p/raw/1999/2.jpg': 'two',
    'p/raw/evil\n\u001b[2J.txt': 'x',
    'p/raw/b[1].txt': 'brackets',
    'p/raw/large.bin': LARGE,
    'p/one.csv': 'n\n1\n',
  });
  fs.mkdirSync(w.at('p/raw/empty'));
  fs.symlinkSync('a.txt', w.at('p/raw/link'));
  fs.chmodSync(w.at('p/raw/a.txt'), 0o755);
  await w.engine.commit({ select: [] });
  w.commit('one');
  w.write({ 'p/raw/a.txt': 'second', 'p/raw/1999/3.jpg': 'three' });
  await w.engine.commit({ select: [] });
  w.commit('two');
  await w.engine.push({ select: [], allCommits: true });
  return w;
}

async function read({ engine }: TestRepository, options: CatOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await engine.cat(options)).chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function problemOf(act: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw new Error(`no SluiceError: ${String(error)}`);
}

test('a clone lists any revision without a blob, and the trees stay', async () => {
  const fresh = await clone(await twoVersions(), 'fresh');
  const now = await fresh.engine.ls({ select: ['p:data#raw/**'] });
  const [out] = now.outs;
  expect(now.outs.map(({ path }) => path)).toEqual(['p/raw']);
  expect(out?.entries.map(({ path, kind, files, bytes, stored }) => [path, kind, files, bytes, stored])).toEqual([
    ['1999', 'directory', 3, 11, false],
    ['1999/1.jpg', 'file', 1, 3, false],
    ['1999/2.jpg', 'file', 1, 3, false],
    ['1999/3.jpg', 'file', 1, 5, false],
    ['a.txt', 'executable', 1, 6, false],
    ['b[1].txt', 'file', 1, 8, false],
    ['evil\n\u001b[2J.txt', 'file', 1, 1, false],
    ['large.bin', 'file', 1, LARGE.length, false],
    ['link', 'link', 1, 5, false],
  ]);
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0, trees: 3 });

  const before = await fresh.engine.ls({ select: ['p:data#raw/1999/*', 'p:data#one.csv'], rev: 'HEAD~1' });
  expect(before.outs.map(({ path, listed, stored }) => [path, listed, stored])).toEqual([
    ['p/one.csv', { files: 1, bytes: 4 }, { files: 0, bytes: 0 }],
    ['p/raw', { files: 2, bytes: 6 }, { files: 0, bytes: 0 }],
  ]);
  expect(before).toMatchObject({ files: 3, bytes: 10 });
  expect((await fresh.engine.ls({ select: [] })).outs[1]?.entries.map(({ path }) => path)).toContain('empty');

  // What came stays: the remote can go.
  fs.rmSync(temp('shelf'), { recursive: true });
  expect((await fresh.engine.ls({ select: ['p:data#raw/**'] })).outs).toEqual(now.outs);
});

test('local lists what the store has, and asks nobody', async () => {
  const fresh = await clone(await twoVersions(), 'fresh');
  await fresh.engine.fetch({ select: ['p:data#raw/1999/*'] });
  fs.rmSync(temp('shelf'), { recursive: true });
  const { outs, files } = await fresh.engine.ls({ select: [], local: true });
  expect(outs.map(({ entries }) => entries.map(({ path }) => path))).toEqual([
    [],
    ['1999', '1999/1.jpg', '1999/2.jpg', '1999/3.jpg'],
  ]);
  expect(files).toBe(3);
});

test('trees that are nowhere are named with digest, remote and command', async () => {
  const fresh = await clone(await twoVersions(), 'fresh');
  const offline = await clone(fresh, 'offline', { offline: true });
  const { digest = '' } = (await fresh.engine.ls({ select: ['p:data#raw/*'], rev: 'HEAD~1' })).outs[0] ?? {};
  const asked = { select: ['p:data#raw/*'], rev: 'HEAD~1' };
  const away = await problemOf(offline.engine.ls(asked));
  expect([away.code, away.exitCode, away.hint]).toEqual([
    'ERR_NOT_LOCAL',
    4,
    'Run: sluice fetch --rev HEAD~1 p:data (when shelf can be asked)',
  ]);
  expect(away.message).toBe(
    `p:data: the tree of p/raw at HEAD~1 (${digest}) is not in the store, and remote shelf is not asked: Sluice is offline`,
  );
  const other = await clone(fresh, 'other');
  fs.rmSync(temp('shelf', 'shared'), { recursive: true });
  const gone = await problemOf(other.engine.ls(asked));
  expect([gone.code, gone.details]).toEqual([
    'ERR_NOT_LOCAL',
    { digest, remotes: ['shelf'], command: 'sluice fetch --rev HEAD~1 p:data' },
  ]);
  expect(gone.message).toContain('nor on remote shelf');
});

test('a file comes byte for byte from the store or straight from the remote', async () => {
  const w = await twoVersions();
  const fresh = await clone(w, 'fresh');
  for (const one of [w, fresh]) {
    expect(await read(one, { select: 'p:data#raw/a.txt' })).toEqual(Buffer.from('second'));
    expect(await read(one, { select: 'p:data#raw/a.txt', rev: 'HEAD~1' })).toEqual(Buffer.from('first'));
    expect(await read(one, { select: 'p:data#raw/b[1].txt' })).toEqual(Buffer.from('brackets'));
    expect(await read(one, { select: 'p:data#one.csv' })).toEqual(Buffer.from('n\n1\n'));
    expect((await read(one, { select: 'p:data#raw/large.bin' })).equals(LARGE)).toBe(true);
    const range = { offset: 1_000_000, length: 3_000_000 };
    const part = await read(one, { select: 'p:data#raw/large.bin', range });
    expect(part.equals(LARGE.subarray(1_000_000, 4_000_000))).toBe(true);
    const end = await read(one, { select: 'p:data#raw/large.bin', range: { last: 10 } });
    expect(end.equals(LARGE.subarray(-10))).toBe(true);
    expect(await read(one, { select: 'p:data#raw/1999/3.jpg', range: { offset: 2, length: 99 } })).toEqual(
      Buffer.from('ree'),
    );
  }
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });
});

test('a file has to be one, and a range has to begin in it', async () => {
  const w = await twoVersions();
  const codes = async (options: CatOptions) => (await problemOf(w.engine.cat(options))).message;
  expect(await codes({ select: 'p:data#raw/1999/*' })).toBe(
    '"p:data#raw/1999/*" names 3 files: "1999/1.jpg", "1999/2.jpg", "1999/3.jpg"',
  );
  expect(await codes({ select: 'p:data#raw/none' })).toBe('"p:data#raw/none" names no file');
  expect(await codes({ select: 'p:data#raw/a.txt', range: { offset: 6 } })).toBe(
    'the range begins behind the end of "a.txt", which has 6 bytes',
  );
  expect((await problemOf(w.engine.cat({ select: 'p:data#raw/a.txt', rev: '--upload-pack=x' }))).code).toBe(
    'ERR_REVISION',
  );
});

test('a file that is nowhere is named with digest, size, remotes and command', async () => {
  const w = await twoVersions();
  const fresh = await clone(w, 'fresh');
  const digest = (await fresh.engine.cat({ select: 'p:data#raw/a.txt' })).digest;
  const offline = await clone(w, 'offline', {
    offline: true,
    env: { ...process.env, SLUICE_STORE: fresh.at('.sluice') },
  });
  const command = "sluice fetch 'p:data#raw/a.txt'";
  const away = await problemOf(read(offline, { select: 'p:data#raw/a.txt' }));
  expect([away.code, away.exitCode, away.hint, away.details]).toEqual([
    'ERR_NOT_LOCAL',
    4,
    `Run: ${command} (when shelf can be asked)`,
    { digest, bytes: 6, remotes: ['shelf'], command },
  ]);
  expect(away.message).toMatch(
    /^"p\/raw\/a.txt" \(sha256:[0-9a-f]{12}, 6 B\) is not in the store, and remote shelf is not asked: Sluice is offline$/,
  );
  // The tree is here, and the place of the file is gone on the remote.
  fs.rmSync(temp('shelf/shared/maps'), { recursive: true });
  const gone = await problemOf(read(fresh, { select: 'p:data#raw/a.txt' }));
  expect([gone.code, gone.message]).toEqual(['ERR_NOT_LOCAL', expect.stringContaining('nor on remote shelf')]);
  expect(gone.details).toEqual({ digest, bytes: 6, remotes: ['shelf'], command });
  expect(gone.hint).toBe(`Run \`sluice push --all-commits p:data\` in a workspace that has it, then: ${command}`);
  fresh.write({ 'sluice.json': {} });
  const nowhere = await problemOf(read(fresh, { select: 'p:data#raw/a.txt' }));
  expect([nowhere.code, nowhere.details]).toEqual(['ERR_NOT_LOCAL', { digest, bytes: 6, remotes: [], command }]);
  expect(nowhere.message).toContain('and no remote is configured');
});

test('a flipped byte never comes: not in the store, where the remote has a good copy, and not on the remote', async () => {
  const w = await twoVersions();
  const fresh = await clone(w, 'fresh');
  const { digest } = await w.engine.cat({ select: 'p:data#raw/large.bin' });
  const flip = (path: string, at: number): void => {
    fs.chmodSync(path, 0o644);
    const bytes = fs.readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    fs.writeFileSync(path, bytes);
  };
  const hex = digest.slice(7);
  flip(w.at('.sluice/objects', hex.slice(0, 2), hex.slice(2)), 5_000_000);
  expect((await read(w, { select: 'p:data#raw/large.bin' })).equals(LARGE)).toBe(true);

  flip(temp('shelf/shared/blobs', hex.slice(0, 2), hex.slice(2)), 5_000_000);
  const whole = await problemOf(read(fresh, { select: 'p:data#raw/large.bin' }));
  expect(whole.code).toBe('ERR_OBJECT_DAMAGED');
  const beside = await read(fresh, { select: 'p:data#raw/large.bin', range: { offset: 0, length: 1_000_000 } });
  expect(beside.equals(LARGE.subarray(0, 1_000_000))).toBe(true);
});

test('what a merge put together is read from what its sides pushed', async () => {
  const w = await create({ 'p/project.json': tracked('{projectRoot}/raw'), 'p/raw/both': 'both' });
  const save = async (subject: string): Promise<void> => {
    await w.engine.commit({ select: [] });
    w.commit(subject);
  };
  await save('begin');
  w.git('branch', 'side');
  w.write({ 'p/raw/ours': 'ours' });
  await save('ours');
  w.git('checkout', '-q', 'side');
  fs.rmSync(w.at('p/raw/ours'));
  w.write({ 'p/raw/theirs': 'theirs' });
  await save('theirs');
  await w.engine.push({ select: [], allBranches: true });
  w.git('checkout', '-q', 'main');
  w.git('merge', '-q', '--no-commit', '-s', 'ours', 'side');
  w.write({ 'p/raw/ours': 'ours' });
  await save('merge');
  const fresh = await clone(w, 'fresh');
  // As the merge driver leaves it: the trees of the merge, and no blob.
  for (const name of fs.readdirSync(w.at('.sluice/objects'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.tree')) continue;
    fs.cpSync(w.at('.sluice/objects', name), fresh.at('.sluice/objects', name), { preserveTimestamps: true });
  }
  for (const [path, content] of Object.entries({ both: 'both', ours: 'ours', theirs: 'theirs' })) {
    expect((await read(fresh, { select: `p:data#${path}` })).toString()).toBe(content);
  }
});
