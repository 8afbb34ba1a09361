import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { EXECUTABLE, FILE, LINK, TREE } from '../model/tree.js';
import { realFiles } from '../store/files.js';
import { diskTree, writeTree } from '../testing/disk-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import { type Bulk, type BulkLane, createBulk } from './bulk.js';
import { entryPath, type Snapshot } from './snapshot.js';
import type { StatBatch } from './stat-entries.js';
import { BulkThread } from './thread.js';
import { walk } from './walk.js';

const temp = useTempDir();

function paths(snapshot: Snapshot | undefined): [string, number][] {
  return (snapshot?.directories ?? []).flatMap((directory) =>
    directory.names.map((_, i): [string, number] => [entryPath(directory, i), directory.kinds[i] ?? -1]),
  );
}

function walkOut(path = temp('out')): Promise<Snapshot | undefined> {
  return walk(path, { followRoot: false });
}

function walkDep(path: string): Promise<Snapshot | undefined> {
  return walk(path, { followRoot: true });
}

test('sees files, executables, links, empty directories and odd names, in the order of names', async () => {
  writeTree(
    temp('out'),
    diskTree({
      'a-b': '1',
      'a/x': '2',
      a0: { kind: 'exec', content: '#!' },
      empty: null,
      '-rf': '3',
      'new\nline': '4',
      '\ufffd': '5',
      '\u{1f600}': '6',
      '\uffee': '7',
      to: { kind: 'link', target: 'a' },
    }),
  );
  const snapshot = await walkOut();
  expect(snapshot?.shape).toBe('directory');
  expect(paths(snapshot)).toEqual([
    ['-rf', FILE],
    ['a', TREE],
    ['a-b', FILE],
    ['a0', EXECUTABLE],
    ['empty', TREE],
    ['new\nline', FILE],
    ['to', LINK],
    ['\uffee', FILE],
    ['\ufffd', FILE],
    ['\u{1f600}', FILE],
    ['a/x', FILE],
  ]);
  expect(snapshot?.directories.map(({ path }) => path)).toEqual(['', 'a', 'empty']);
  const stat = fs.statSync(temp('out', 'a-b'));
  const top = snapshot?.directories[0];
  expect([top?.sizes[2], top?.mtimes[2], top?.ctimes[2], top?.inodes[2]]).toEqual([
    1,
    stat.mtimeMs,
    stat.ctimeMs,
    stat.ino,
  ]);
});

test('sees a single file, and nothing where nothing is', async () => {
  fs.writeFileSync(temp('file'), 'x', { mode: 0o755 });
  expect((await walkOut(temp('file')))?.shape).toBe('file');
  expect(paths(await walkOut(temp('file')))).toEqual([['file', EXECUTABLE]]);
  expect(await walkOut(temp('nothing'))).toBeUndefined();
  expect(await walkOut(temp('file', 'below'))).toBeUndefined();
  expect(await walkDep(temp('file', 'below'))).toBeUndefined();
});

test('an out may not be a link; a dep is what its link points to', async () => {
  writeTree(temp('data'), diskTree({ a: 'a' }));
  fs.symlinkSync('data', temp('link'));
  fs.symlinkSync('data/a', temp('to-file'));
  fs.symlinkSync('nowhere', temp('dangling'));
  fs.symlinkSync('loop', temp('loop'));
  for (const name of ['link', 'to-file', 'dangling', 'loop']) {
    await expect(walkOut(temp(name))).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_KIND' }));
  }
  expect(paths(await walkDep(temp('link')))).toEqual([['a', FILE]]);
  expect((await walkDep(temp('to-file')))?.shape).toBe('file');
  expect(await walkDep(temp('dangling'))).toBeUndefined();
  await expect(walkDep(temp('loop'))).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_UNREADABLE' }));
});

test('does not follow links inside', async () => {
  writeTree(temp('out'), diskTree({ 'd/f': '1', 'd/up': { kind: 'link', target: '../d' } }));
  expect(paths(await walkOut())).toEqual([
    ['d', TREE],
    ['d/f', FILE],
    ['d/up', LINK],
  ]);
});

test('refuses pipes', async () => {
  fs.mkdirSync(temp('out'));
  execFileSync('mkfifo', [temp('out', 'pipe')]);
  await expect(walkOut()).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_FILE_KIND', message: expect.stringContaining('pipe') }),
  );
  await expect(walkOut(temp('out', 'pipe'))).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_KIND' }));
  // Left out, it does not matter.
  expect(paths(await walk(temp('out'), { followRoot: false, ignore: () => (path) => path === 'pipe' }))).toEqual([]);
});

test('refuses sockets', async () => {
  fs.mkdirSync(temp('out'));
  const server = spawn(process.execPath, ['-e', 'require("net").createServer().listen("s", () => console.log("up"))'], {
    cwd: temp('out'),
  });
  await once(server.stdout, 'data');
  try {
    await expect(walkOut()).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_KIND' }));
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
});

test('refuses names that are not UTF-8, and only those', async () => {
  fs.mkdirSync(temp('out', 'd'), { recursive: true });
  fs.writeFileSync(temp('out', 'd', '\ufffd'), '');
  expect(paths(await walkOut())).toEqual([
    ['d', TREE],
    ['d/\ufffd', FILE],
  ]);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${temp('out', 'd')}/caf`), Buffer.from([0xe9])]), '');
  await expect(walkOut()).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_FILE_NAME', message: expect.stringContaining('caf\u00e9') }),
  );
});

test('refuses what is nested too deep', async () => {
  fs.mkdirSync(temp('out', ...Array.from({ length: 256 }, () => 'd')), { recursive: true });
  expect((await walkOut())?.directories).toHaveLength(257);
  fs.mkdirSync(temp('out', ...Array.from({ length: 257 }, () => 'd')), { recursive: true });
  await expect(walkOut()).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_NAME' }));
});

test('says that a directory cannot be read', async () => {
  // Permissions do not hold root back; a name that is too long does.
  fs.mkdirSync(temp('out'));
  await expect(walkDep(`${temp('out')}/${'x'.repeat(300)}`)).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_FILE_UNREADABLE' }),
  );
});

test('leaves out what is ignored, with all that is below', async () => {
  writeTree(temp('out'), diskTree({ 'keep/a': '1', 'drop/b': '2', 'keep/drop': '3', drop2: '4' }));
  const asked: [string, boolean][] = [];
  const ignore = (path: string, isDirectory: boolean): boolean => {
    asked.push([path, isDirectory]);
    return path === 'drop' || path === 'keep/drop';
  };
  expect(paths(await walk(temp('out'), { followRoot: false, ignore: () => ignore })).map(([path]) => path)).toEqual([
    'drop2',
    'keep',
    'keep/a',
  ]);
  expect(asked).toEqual([
    ['drop', true],
    ['drop2', false],
    ['keep', true],
    ['keep/a', false],
    ['keep/drop', false],
  ]);
});

test('a directory that vanishes meanwhile is a change, not a crash', async () => {
  writeTree(temp('out'), diskTree({ 'a/b': '1' }));
  const ignore = (path: string): boolean => {
    if (path === 'a') fs.rmSync(temp('out', 'a'), { recursive: true });
    return false;
  };
  await expect(walk(temp('out'), { followRoot: false, ignore: () => ignore })).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_FILE_CHANGED' }),
  );
  expect(fs.existsSync(join(temp('out'), 'a'))).toBe(false);
});

describe('with the help of other threads', () => {
  /** Lanes that answer later, in an order of their own. */
  function helping(asked: StatBatch[]): Bulk {
    const thread = new BulkThread(realFiles);
    const lane = (ms: number): BulkLane => ({
      ask: async (request) => {
        if (request.do === 'stat') asked.push(request.batch);
        await new Promise((resolve) => setTimeout(resolve, ms));
        return thread.handle(request);
      },
    });
    const none = createBulk(realFiles, undefined, 0);
    return { ...none, helpers: () => [lane(3), lane(1)] };
  }

  function writeMany(): void {
    for (const below of ['', 'a', 'a/deep', 'b', 'z']) {
      fs.mkdirSync(temp('out', below), { recursive: true });
      for (let i = 0; i < 700; i++) fs.writeFileSync(temp('out', below, `f${i}`), `${below}${i}`);
    }
  }

  test('sees the same', async () => {
    writeMany();
    const asked: StatBatch[] = [];
    const helped = await walk(temp('out'), { followRoot: false, bulk: helping(asked) });
    expect(asked.length).toBeGreaterThan(2);
    expect(helped).toEqual(await walkOut());
  });

  test('fails for what they could not look at', async () => {
    writeMany();
    execFileSync(
      'mkfifo',
      [temp('out', 'a', 'f0')].map((path) => `${path}.pipe`),
    );
    await expect(walk(temp('out'), { followRoot: false, bulk: helping([]) })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_FILE_KIND' }),
    );
  });

  test('stops when it is interrupted', async () => {
    writeMany();
    const controller = new AbortController();
    const asked = walk(temp('out'), { followRoot: false, bulk: helping([]), signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'ERR_INTERRUPTED' }));
  });
});
