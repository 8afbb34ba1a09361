import fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { SluiceError } from '../../errors.js';
import { parseRelPath } from '../../model/path.js';
import { useTempDir } from '../../testing/temp-dir.js';
import { type FakeEntry, zipBytes } from '../../testing/zip-bytes.js';
import type { UnpackOptions, UnpackReport } from './unpack.js';
import { unpackZip } from './unpack-zip.js';

const dir = useTempDir();
const OUT = parseRelPath('p/raw');

/** A workspace of its own beside nothing but the archive. */
function workspace(bytes: Uint8Array): Pick<UnpackOptions, 'root' | 'from'> {
  const parent = fs.mkdtempSync(dir('w-'));
  const root = join(parent, 'workspace');
  fs.mkdirSync(root);
  const from = join(parent, 'x.zip');
  fs.writeFileSync(from, bytes);
  return { root, from };
}

async function unpack(
  bytes: Uint8Array,
  options: Partial<UnpackOptions> = {},
): Promise<UnpackReport & { readonly root: string }> {
  const { root, from } = workspace(bytes);
  return { ...(await unpackZip({ root, from, path: OUT, ...options })), root };
}

/** Every file below a directory with its content, and every empty directory, by relative path. */
function contents(path: string): Record<string, string> {
  const entries = fs.readdirSync(path, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile() || fs.readdirSync(join(entry.parentPath, entry.name)).length === 0)
      .map((entry) => {
        const full = join(entry.parentPath, entry.name);
        return [full.slice(path.length + 1), entry.isFile() ? fs.readFileSync(full, 'utf8') : ''];
      }),
  );
}

async function codeOf(bytes: Uint8Array, options: Partial<UnpackOptions> = {}): Promise<string> {
  const { root, from } = workspace(bytes);
  try {
    await unpackZip({ root, from, path: OUT, ...options });
  } catch (error) {
    // Whatever was refused left nothing behind, inside or outside.
    expect(contents(root)).toEqual(fs.existsSync(join(root, '.sluice')) ? { '.sluice/moves': '' } : {});
    expect(fs.readdirSync(join(root, '..')).sort()).toEqual(['workspace', 'x.zip']);
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return 'none';
}

const FILES: FakeEntry[] = [
  { name: 'README', content: 'hello\n', stored: true },
  { name: 'empty/' },
  { name: './run.sh', content: '#!/bin/sh\n', mode: 0o100755 },
  { name: 'images/ä/1.txt', content: 'x'.repeat(100_000), mode: 0o100644 },
];

test('files, empty directories and executable bits come out', async () => {
  const { root, ...report } = await unpack(zipBytes(FILES));
  expect(report).toEqual({ files: 3, bytes: 100_016, written: true });
  expect(contents(join(root, OUT))).toEqual({
    README: 'hello\n',
    empty: '',
    'run.sh': '#!/bin/sh\n',
    'images/ä/1.txt': 'x'.repeat(100_000),
  });
  expect(fs.statSync(join(root, OUT, 'run.sh')).mode & 0o100).toBe(0o100);
  expect(fs.statSync(join(root, OUT, 'README')).mode & 0o111).toBe(0);
  expect(fs.readdirSync(join(root, '.sluice/moves'))).toEqual([]);
});

test('twice is once, an empty directory is filled, anything else is left alone', async () => {
  const { root, from } = workspace(zipBytes(FILES));
  fs.mkdirSync(join(root, OUT), { recursive: true });
  const options = { root, from, path: OUT };
  expect((await unpackZip({ ...options, dryRun: true })).written).toBe(true);
  expect(contents(root)).toEqual({ 'p/raw': '' });
  expect((await unpackZip(options)).written).toBe(true);
  expect((await unpackZip(options)).written).toBe(false);
  fs.writeFileSync(join(root, OUT, 'README'), 'hallo\n');
  await expect(unpackZip(options)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  fs.writeFileSync(join(root, OUT, 'README'), 'hello\n');
  fs.writeFileSync(join(root, OUT, 'more'), '');
  await expect(unpackZip(options)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  fs.rmSync(join(root, OUT), { recursive: true });
  fs.writeFileSync(join(root, OUT), 'a file');
  await expect(unpackZip(options)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  expect(fs.readFileSync(join(root, OUT), 'utf8')).toBe('a file');
});

test.each([
  '../x',
  'a/../../x',
  '/etc/x',
  'C:\\x',
  'c:/x',
  '..\\x',
  'a\\..\\..\\x',
  'a//b',
  'a/./b',
  '',
  '/',
  './',
  'a\0b',
  'a\nb',
])('the name %j is refused', async (name) => {
  expect(
    await codeOf(
      zipBytes([
        { name: 'fine', content: '1' },
        { name, content: '2' },
      ]),
    ),
  ).toBe('ERR_ARCHIVE_UNSAFE');
});

test.each([
  [['a', 'a']],
  [['a', 'A']],
  [['dir/a', 'DIR/b']],
  [['straße', 'STRASSE']],
  [['\u00e9', 'e\u0301']],
  [['a', 'a/b']],
  [['a/b', 'a']],
  [['a/', 'a']],
  [['a/', 'a/']],
])('%j are one name somewhere', async (names) => {
  expect(await codeOf(zipBytes(names.map((name) => ({ name }))))).toBe('ERR_ARCHIVE_UNSAFE');
});

test.each([
  ['a symbolic link', { name: 'l', content: '/etc/passwd', mode: 0o120777 }, 'ERR_ARCHIVE_UNSAFE'],
  ['a device', { name: 'd', mode: 0o020666 }, 'ERR_ARCHIVE_UNSAFE'],
  ['a directory that is called a file', { name: 'd', mode: 0o040755 }, 'ERR_ARCHIVE_UNSAFE'],
  ['an encrypted entry', { name: 'e', content: 'x', flags: 1 }, 'ERR_ARCHIVE_INVALID'],
  ['strong encryption', { name: 'e', content: 'x', flags: 0x40 }, 'ERR_ARCHIVE_INVALID'],
  ['another method', { name: 'm', content: 'x', method: 14 }, 'ERR_ARCHIVE_INVALID'],
  ['a directory with bytes', { name: 'd/', content: 'x' }, 'ERR_ARCHIVE_INVALID'],
  ['more than declared', { name: 'f', content: 'xyz'.repeat(9999), declaredBytes: 10 }, 'ERR_ARCHIVE_INVALID'],
  [
    'much more than declared',
    { name: 'f', content: 'xyz'.repeat(999_999), declaredBytes: 1_999_999 },
    'ERR_ARCHIVE_INVALID',
  ],
  ['much less than declared', { name: 'f', content: 'xyz', declaredBytes: 1_999_999 }, 'ERR_ARCHIVE_INVALID'],
  ['less than declared', { name: 'f', content: 'xyz', declaredBytes: 10 }, 'ERR_ARCHIVE_INVALID'],
  ['another checksum', { name: 'f', content: 'xyz', crc32: 1 }, 'ERR_ARCHIVE_INVALID'],
  ['another checksum of much', { name: 'f', content: 'xyz'.repeat(999_999), crc32: 1 }, 'ERR_ARCHIVE_INVALID'],
] as const)('%s is refused', async (_, entry, code) => {
  expect(await codeOf(zipBytes([{ name: 'fine', content: '1' }, entry]))).toBe(code);
});

test('what is no archive', async () => {
  expect(await codeOf(Buffer.from('no zip'))).toBe('ERR_ARCHIVE_INVALID');
  expect(await codeOf(Buffer.alloc(0))).toBe('ERR_ARCHIVE_INVALID');
  expect(await codeOf(zipBytes(FILES).subarray(0, -3))).toBe('ERR_ARCHIVE_INVALID');
  expect(await codeOf(zipBytes(FILES), { from: dir('absent.zip') })).toBe('ERR_USAGE');
  expect(await codeOf(zipBytes(FILES), { from: dir() })).toBe('ERR_USAGE');
});

test('bombs: too many bytes, too good a ratio, one body for many files', async () => {
  const bomb = zipBytes([{ name: 'zeros', content: Buffer.alloc(70 * 1024 ** 2) }]);
  expect(await codeOf(bomb)).toBe('ERR_ARCHIVE_TOO_LARGE');
  const limits = { entries: 3, bytes: 1000, ratio: 200 };
  expect(await codeOf(zipBytes(FILES), { limits })).toBe('ERR_ARCHIVE_TOO_LARGE');
  const many = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
  expect(await codeOf(zipBytes(many), { limits })).toBe('ERR_ARCHIVE_TOO_LARGE');
  const shared = zipBytes([
    { name: 'a', content: 'x'.repeat(1000) },
    { name: 'b', at: 0 },
  ]);
  expect(await codeOf(shared)).toBe('ERR_ARCHIVE_UNSAFE');
  const beyond = zipBytes([{ name: 'a', content: 'x', at: 1_000_000 }]);
  expect(await codeOf(beyond)).toBe('ERR_ARCHIVE_UNSAFE');
});

test('a name that no file system takes is refused', async () => {
  for (const long of ['n'.repeat(256), `${'n/'.repeat(200)}x`, `${`${'n'.repeat(100)}/`.repeat(21)}x`]) {
    expect(await codeOf(zipBytes([{ name: long }]))).toBe('ERR_ARCHIVE_UNSAFE');
  }
});

test('a disk that has too little space is not filled', async () => {
  const { bavail, bsize } = fs.statfsSync(dir());
  const most = 0xfffffffe;
  const count = Math.ceil((bavail * bsize) / most) + 1;
  const huge = Array.from({ length: count }, (_, i) => ({ name: `${i}`, content: 'x', declaredBytes: most }));
  const limits = { entries: count, bytes: Number.MAX_SAFE_INTEGER, ratio: Number.MAX_SAFE_INTEGER };
  expect(await codeOf(zipBytes(huge), { limits })).toBe('ERR_DISK_FULL');
});

test('a directory that is said to lie anywhere', async () => {
  const good = zipBytes(FILES);
  const end = good.length - 22;
  for (const offset of [0n, 5n, BigInt(end), 2n ** 33n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    const locator = Buffer.alloc(20);
    locator.write('PK\x06\x07', 'latin1');
    locator.writeBigUInt64LE(offset, 8);
    const record = Buffer.alloc(56);
    record.write('PK\x06\x06', 'latin1');
    record.writeBigUInt64LE(offset, 32);
    record.writeBigUInt64LE(offset, 48);
    const bytes = Buffer.concat([good.subarray(0, end), record, locator, good.subarray(end)]);
    expect(await codeOf(bytes)).toMatch(/^ERR_ARCHIVE_/);
  }
});

test('an interruption leaves nothing', async () => {
  expect(await codeOf(zipBytes(FILES), { signal: AbortSignal.abort() })).toBe('ERR_INTERRUPTED');
});

const segment = fc.oneof(
  fc.constantFrom('..', '.', '', 'a', 'A', 'b', 'C:', 'con', 'é', 'e\u0301', '~', ' '),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const name = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom('/', '\\', '//'), fc.boolean())
  .map(([segments, separator, isDirectory]) => segments.join(separator) + (isDirectory ? '/' : ''));

test('no archive writes outside of its directory, and what comes out is what went in', async () => {
  const entry = fc.record({ name, content: fc.string({ maxLength: 20 }), stored: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
      const packed = entries.map((one) => (one.name.endsWith('/') ? { ...one, content: '' } : one));
      const { root, from } = workspace(zipBytes(packed));
      const parent = join(root, '..');
      try {
        await unpackZip({ root, from, path: OUT });
        const found = contents(join(root, OUT));
        for (const { name: path, content } of packed) {
          if (!path.endsWith('/')) expect(found[path.replace(/^(\.\/)+/, '')]).toBe(content);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(SluiceError);
        expect(fs.existsSync(join(root, 'p'))).toBe(false);
      }
      expect(fs.readdirSync(parent).sort()).toEqual(['workspace', 'x.zip']);
      expect(fs.readdirSync(root).filter((one) => one !== '.sluice' && one !== 'p')).toEqual([]);
      fs.rmSync(parent, { recursive: true });
    }),
    { numRuns: 300 },
  );
});

test('damage anywhere is an error with a code, or does no harm', async () => {
  const good = zipBytes(FILES);
  const change = fc.record({ at: fc.nat({ max: good.length - 1 }), byte: fc.nat({ max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = Buffer.from(good);
      for (const { at, byte } of changes) bytes[at] = byte;
      const { root, from } = workspace(bytes);
      try {
        await unpackZip({ root, from, path: OUT });
        expect(
          Object.values(contents(join(root, OUT))).every((text) =>
            ['', 'hello\n', '#!/bin/sh\n', 'x'.repeat(100_000)].includes(text),
          ),
        ).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_ARCHIVE_/) });
        expect(fs.existsSync(join(root, 'p'))).toBe(false);
      }
      fs.rmSync(join(root, '..'), { recursive: true });
    }),
    { numRuns: 400 },
  );
});
