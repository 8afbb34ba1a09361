import fs from 'node:fs';
import fc from 'fast-check';
import { useTempDir } from '../testing/temp-dir.js';
import { readWhole, writeWhole } from './whole-io.js';

const temp = useTempDir();

/** Files whose calls write and read no more at once than the next of `lengths` says; how often they were called. */
function shortFiles(lengths: readonly number[]): Pick<typeof fs, 'readSync' | 'writeSync'> & { calls: number } {
  const files = {
    calls: 0,
    next: (wanted: number) => Math.min(wanted, lengths[files.calls++ % lengths.length] ?? wanted),
    writeSync: ((fd: number, bytes: Uint8Array, at: number, length: number, position: number | null) =>
      fs.writeSync(fd, bytes, at, files.next(length), position)) as typeof fs.writeSync,
    readSync: ((fd: number, bytes: Uint8Array, at: number, length: number, position: number | null) =>
      fs.readSync(fd, bytes, at, files.next(length), position)) as typeof fs.readSync,
  };
  return files;
}

/** Does something with an open file. */
function withFile<T>(flags: string, use: (fd: number) => T): T {
  const fd = fs.openSync(temp('file'), flags);
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test('what calls write and read in parts comes to its place whole', () => {
  fc.assert(
    fc.property(
      lengths,
      fc.uint8Array({ maxLength: 40 }),
      fc.option(fc.nat({ max: 20 })),
      (atOnce, bytes, position) => {
        const before = Buffer.alloc(60, '.');
        const whole = Buffer.from(before);
        whole.set(bytes, position ?? 0);
        fs.writeFileSync(temp('file'), before);
        withFile('r+', (fd) => writeWhole(shortFiles(atOnce), fd, bytes, position));
        expect(fs.readFileSync(temp('file')).equals(whole)).toBe(true);
        const found = new Uint8Array(bytes.length);
        expect(withFile('r', (fd) => readWhole(shortFiles(atOnce), fd, found, position))).toBe(bytes.length);
        expect(found).toEqual(bytes);
      },
    ),
  );
});

test('without a position, it goes on where the file stands', () => {
  fs.writeFileSync(temp('file'), 'before ');
  withFile('a', (fd) => {
    writeWhole(shortFiles([2]), fd, Buffer.from('first '));
    writeWhole(shortFiles([3]), fd, Buffer.from('second'));
  });
  expect(fs.readFileSync(temp('file'), 'utf8')).toBe('before first second');
  withFile('r', (fd) => {
    const words = [Buffer.alloc(7), Buffer.alloc(6)];
    for (const word of words) expect(readWhole(shortFiles([4]), fd, word)).toBe(word.length);
    expect(words.join('')).toBe('before first ');
  });
});

test('a file that ends before gives what it has, and the rest of the bytes is left alone', () => {
  fs.writeFileSync(temp('file'), 'short');
  const bytes = Buffer.alloc(8, '-');
  expect(withFile('r', (fd) => readWhole(shortFiles([2]), fd, bytes, 1))).toBe(4);
  expect(bytes.toString()).toBe('hort----');
  expect(withFile('r', (fd) => readWhole(fs, fd, bytes, 5))).toBe(0);
});

test('what is whole at once takes one call, and nothing takes none', () => {
  const files = shortFiles([]);
  withFile('w+', (fd) => {
    writeWhole(files, fd, Buffer.from('whole'));
    readWhole(files, fd, Buffer.alloc(5), 0);
    expect(files.calls).toBe(2);
    writeWhole(files, fd, Buffer.alloc(0));
    readWhole(files, fd, Buffer.alloc(0));
    expect(files.calls).toBe(2);
  });
});

test('a failure in the middle is the failure of the whole', () => {
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  let calls = 0;
  const writeSync = ((fd: number, bytes: Uint8Array, at: number) => {
    if (++calls === 3) throw full;
    return fs.writeSync(fd, bytes, at, 1);
  }) as typeof fs.writeSync;
  expect(() => withFile('w', (fd) => writeWhole({ writeSync }, fd, Buffer.from('abcdef')))).toThrow(full);
  expect(fs.readFileSync(temp('file'), 'utf8')).toBe('ab');
});
