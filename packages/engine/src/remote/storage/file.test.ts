import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStorage } from './file.js';
import { bodyOf, storageKey } from './port.js';
import { storageContract } from './storage.suite.js';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sluice-file-'));
});
afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

storageContract('file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-file-'));
  return { storage: fileStorage({ dir }), cleanUp: () => rmSync(dir, { recursive: true, force: true }) };
});

const key = storageKey('shared/packs/a.pack');
const body = bodyOf(Buffer.from('bytes'));
const down = expect.objectContaining({ code: 'ERR_REMOTE_DOWN' });

test('a directory that is gone is down, never empty', async () => {
  const dir = join(parent, 'remote');
  const storage = fileStorage({ dir });
  await expect(storage.stat(key)).rejects.toEqual(down);
  await expect(storage.get(key, { offset: 0, length: 1 })).rejects.toEqual(down);
  await storage.put(key, body);
  expect(await storage.stat(key)).toEqual({ bytes: 5 });
  rmSync(dir, { recursive: true });
  await expect(storage.stat(key)).rejects.toEqual(down);
});

test('a directory that was never there is empty if the caller says so', async () => {
  const storage = fileStorage({ dir: join(parent, 'remote'), missingIsEmpty: true });
  expect(await storage.stat(key)).toBeUndefined();
  expect(await storage.get(key, { offset: 0, length: 1 })).toBeUndefined();
});

test('the first put makes the directory, but not the directories above it', async () => {
  await fileStorage({ dir: join(parent, 'remote') }).put(key, body);
  expect(existsSync(join(parent, 'remote', key))).toBe(true);
  await expect(fileStorage({ dir: join(parent, 'not', 'mounted') }).put(key, body)).rejects.toEqual(down);
  expect(existsSync(join(parent, 'not'))).toBe(false);
});

test('a file in the place of the directory is down', async () => {
  writeFileSync(join(parent, 'remote'), '');
  const storage = fileStorage({ dir: join(parent, 'remote') });
  await expect(storage.stat(key)).rejects.toEqual(down);
  await expect(storage.put(key, body)).rejects.toEqual(down);
});

test('a put survives the removal of a directory that it had made before', async () => {
  const dir = join(parent, 'remote');
  const storage = fileStorage({ dir });
  await storage.put(key, body);
  rmSync(join(dir, 'shared'), { recursive: true });
  await storage.put(key, body);
  rmSync(join(dir, 'tmp'), { recursive: true });
  await storage.put(storageKey('shared/packs/b.pack'), body);
  expect(readdirSync(join(dir, 'shared/packs'))).toEqual(['a.pack', 'b.pack']);
});

test('nothing unfinished stays, and what a dead writer left is deleted after a day', async () => {
  const tmp = join(parent, 'tmp');
  mkdirSync(tmp);
  writeFileSync(join(tmp, 'old'), 'x');
  writeFileSync(join(tmp, 'young'), 'x');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
  utimesSync(join(tmp, 'old'), twoDaysAgo, twoDaysAgo);
  const storage = fileStorage({ dir: parent });
  await storage.put(key, body);
  await storage.put(key, body, { ifAbsent: true });
  expect(readdirSync(tmp)).toEqual(['young']);
  const listed: string[] = [];
  for await (const object of storage.list?.('') ?? []) listed.push(object.key);
  expect(listed).toEqual([key]);
});

test('no access is denied, not down', async () => {
  const storage = fileStorage({ dir: parent });
  await storage.put(key, body);
  if (process.getuid?.() === 0) {
    // Root may read everything, so a name that is too long for any file system stands in for the mapping of other errors.
    await expect(storage.stat(storageKey('a'.repeat(300)))).rejects.toEqual(down);
    return;
  }
  chmodSync(join(parent, 'shared'), 0o000);
  const denied = expect.objectContaining({ code: 'ERR_REMOTE_DENIED' });
  await expect(storage.stat(key)).rejects.toEqual(denied);
  await expect(storage.put(key, body)).rejects.toEqual(denied);
  chmodSync(join(parent, 'shared'), 0o755);
});

describe('a directory with a marker', () => {
  const marker = storageKey('format');
  const openMarked = (wasSeen: boolean) =>
    fileStorage({ dir: join(parent, 'share'), missingIsEmpty: !wasSeen, marker });
  const byPush = async (): Promise<void> => {
    const storage = openMarked(false);
    await storage.put(marker, body, { ifAbsent: true });
    await storage.put(key, body);
  };
  /** What an unmounted share leaves behind: nothing, or an empty directory. */
  const unmount = (leaves: 'nothing' | 'a directory'): void => {
    renameSync(join(parent, 'share'), join(parent, 'away'));
    if (leaves === 'a directory') mkdirSync(join(parent, 'share'));
  };
  const isEmpty = (): boolean => !existsSync(join(parent, 'share')) || readdirSync(join(parent, 'share')).length === 0;

  test.each(['nothing', 'a directory'] as const)(
    'that was seen before is down, and nothing is made, where %s is left of it',
    async (leaves) => {
      await byPush();
      unmount(leaves);
      const storage = openMarked(true);
      await expect(storage.stat(key)).rejects.toEqual(down);
      await expect(storage.put(key, body)).rejects.toEqual(down);
      await expect(storage.put(key, body, { ifAbsent: true })).rejects.toEqual(down);
      await expect(storage.list?.('')[Symbol.asyncIterator]().next()).rejects.toEqual(down);
      expect(isEmpty()).toBe(true);
    },
  );

  test.each(['nothing', 'a directory'] as const)(
    'that goes while it is used is down from then on, where %s is left of it, and up when it is back',
    async (leaves) => {
      await byPush();
      const storage = openMarked(false);
      expect(await storage.get(marker, { offset: 0, length: 10 })).toEqual(Buffer.from('bytes'));
      await storage.put(storageKey('shared/packs/b.pack'), body);
      expect(await storage.stat(storageKey('shared/packs/c.pack'))).toBeUndefined();
      unmount(leaves);
      await expect(storage.stat(key)).rejects.toEqual(down);
      await expect(storage.get(key, { offset: 0, length: 1 })).rejects.toEqual(down);
      await expect(storage.put(storageKey('shared/packs/c.pack'), body)).rejects.toEqual(down);
      expect(isEmpty()).toBe(true);
      rmSync(join(parent, 'share'), { recursive: true, force: true });
      renameSync(join(parent, 'away'), join(parent, 'share'));
      await storage.put(storageKey('shared/packs/c.pack'), body);
      expect(await storage.stat(key)).toEqual({ bytes: 5 });
    },
  );

  test('that was never seen is empty, whether it is there or not', async () => {
    expect(await openMarked(false).stat(key)).toBeUndefined();
    mkdirSync(join(parent, 'share'));
    expect(await openMarked(false).stat(key)).toBeUndefined();
    expect(await openMarked(true).stat(marker)).toBeUndefined();
    await byPush();
    expect(await openMarked(true).stat(key)).toEqual({ bytes: 5 });
  });
});
