import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { parseRelPath } from '../../model/path.js';
import { diskTree, readTree } from '../../testing/disk-tree.js';
import { useTempDir } from '../../testing/temp-dir.js';
import type { ArchiveLimits } from './check-sizes.js';
import type { UnpackReport } from './unpack.js';
import { unpackTar } from './unpack-tar.js';

const temp = useTempDir();
const MIB = 1024 ** 2;

type Entry = readonly [path: string, content: string | Buffer, header?: ConstructorParameters<typeof Header>[0]];

function tar(...entries: Entry[]): Buffer {
  const blocks = entries.flatMap(([path, content, more]) => {
    const header = new Header({ path, size: content.length, type: 'File', mode: 0o644, ...(more as object) });
    header.encode();
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content.toString('latin1'), 'latin1');
    return [header.block ?? Buffer.alloc(0), body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function unpack(archive: Buffer, limits?: ArchiveLimits, signal?: AbortSignal): Promise<UnpackReport> {
  fs.writeFileSync(temp('a.tar'), archive);
  fs.mkdirSync(temp('ws'), { recursive: true });
  const options = { from: temp('a.tar'), root: temp('ws'), path: parseRelPath('p/raw'), signal };
  return unpackTar({ ...options, ...(limits === undefined ? {} : { limits }) });
}

function expectNothing(): void {
  expect(fs.existsSync(temp('ws/p/raw'))).toBe(false);
  expect(fs.readdirSync(temp('ws/.sluice/moves'))).toEqual([]);
}

test.each([[[]], [['-z']], [['--format=ustar']]])('what the tar of this system packs, %j', async (flags) => {
  fs.mkdirSync(temp('in/sub/deep'), { recursive: true });
  fs.mkdirSync(temp('in/empty'));
  fs.writeFileSync(temp('in/a.txt'), 'a');
  fs.writeFileSync(temp('in/sub/run.sh'), 'x'.repeat(100_000), { mode: 0o755 });
  fs.writeFileSync(temp('in/sub/deep/é'), '');
  execFileSync('tar', ['-c', ...flags, '-f', temp('in.tar'), '-C', temp('in'), '.']);
  expect(await unpack(fs.readFileSync(temp('in.tar')))).toEqual({ files: 3, bytes: 100_001, written: true });
  expect(readTree(temp('ws/p/raw'))).toEqual(readTree(temp('in')));
  expect(fs.statSync(temp('ws/p/raw/sub/run.sh')).mode & 0o100).toBe(0o100);
});

test('names longer than a header', async () => {
  const name = `${'d'.repeat(120)}/${'e'.repeat(150)}`;
  fs.mkdirSync(temp('in', 'd'.repeat(120)), { recursive: true });
  fs.writeFileSync(temp('in', name), 'long');
  execFileSync('tar', ['-cf', temp('in.tar'), '-C', temp('in'), '.']);
  await unpack(fs.readFileSync(temp('in.tar')));
  expect(readTree(temp('ws/p/raw'))).toEqual(diskTree({ [name]: 'long' }));
});

test.each<[string, Entry[]]>([
  ['a name that leads out', [['../evil', 'x']]],
  ['one that leads out later', [['a/../../evil', 'x']]],
  ['an absolute name', [['/etc/evil', 'x']]],
  ['a backslash', [['a\\..\\b', 'x']]],
  ['a drive', [['C:evil', 'x']]],
  ['a control character', [['a\nb', 'x']]],
  [
    'the same name twice',
    [
      ['a', 'x'],
      ['a', 'y'],
    ],
  ],
  [
    'two names that differ in case',
    [
      ['a', 'x'],
      ['A', 'y'],
    ],
  ],
  [
    'a file below a file',
    [
      ['a', 'x'],
      ['a/b', 'y'],
    ],
  ],
  [
    'a symbolic link',
    [
      ['a', '', { type: 'SymbolicLink', linkpath: '/etc' }],
      ['a/passwd', 'x'],
    ],
  ],
  ['a hard link', [['a', '', { type: 'Link', linkpath: '../../sluice.json' }]]],
  ['a device', [['a', '', { type: 'CharacterDevice' }]]],
  ['a pipe', [['a', '', { type: 'FIFO' }]]],
])('refuses %s, and leaves nothing behind', async (_, entries) => {
  await expect(unpack(tar(['first', '1'], ...entries))).rejects.toMatchObject({ code: 'ERR_ARCHIVE_UNSAFE' });
  expectNothing();
  expect(fs.existsSync(temp('ws/evil'))).toBe(false);
});

test('refuses a bomb by its ratio before it is written, and by the limits', async () => {
  const bomb = gzipSync(tar(['zeros', Buffer.alloc(80 * MIB)]));
  await expect(unpack(bomb)).rejects.toMatchObject({ code: 'ERR_ARCHIVE_TOO_LARGE' });
  expectNothing();
  const limits = { entries: 2, bytes: 10, ratio: 200 };
  const three = [1, 2, 3].map((n): Entry => [String(n), 'x']);
  await expect(unpack(tar(...three), limits)).rejects.toMatchObject({ code: 'ERR_ARCHIVE_TOO_LARGE' });
  await expect(unpack(tar(['a', 'x'.repeat(11)]), limits)).rejects.toMatchObject({ code: 'ERR_ARCHIVE_TOO_LARGE' });
  expect(await unpack(tar(['a', 'x'.repeat(10)]), limits)).toMatchObject({ files: 1 });
});

test.each([
  ['what is no tar', Buffer.from('PK\x03\x04 no tar'.repeat(100))],
  ['nothing', Buffer.alloc(0)],
  ['one that ends within a file', tar(['a', 'x'.repeat(5000)]).subarray(0, 2000)],
  ['a damaged header', tar(['a', 'x'], ['b', 'y']).fill('!', 1024, 1100)],
  ['gzip that ends too early', gzipSync(tar(['a', 'x'.repeat(5000)])).subarray(0, 60)],
  ['damaged gzip', gzipSync(tar(['a', 'x'.repeat(5000)])).fill('!', 20, 40)],
])('refuses %s', async (_, bytes) => {
  await expect(unpack(bytes)).rejects.toMatchObject({ code: 'ERR_ARCHIVE_INVALID' });
  expectNothing();
});

test('refuses to unpack over something, a file that is not there, and an interruption', async () => {
  await unpack(tar(['a', 'x']));
  await expect(unpack(tar(['a', 'x']))).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  const root = temp('ws');
  const path = parseRelPath('q');
  await expect(unpackTar({ from: temp('none'), root, path })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  fs.rmSync(temp('ws/p'), { recursive: true });
  await expect(unpack(tar(['a', 'x']), undefined, AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_INTERRUPTED',
  });
  expectNothing();
});
