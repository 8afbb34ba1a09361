import fs from 'node:fs';
import { digestOf, rawDigestOf } from '../model/digest.js';
import { EXECUTABLE, FILE, LINK } from '../model/tree.js';
import { realFiles } from '../store/files.js';
import { storeBlob } from '../testing/store-tree.js';
import { useWorkspace } from '../testing/workspace.js';
import { type PlaceBatch, type PlaceResult, placeBatch } from './place-batch.js';

const { workspace, at } = useWorkspace();

interface Wanted {
  readonly path: string;
  readonly content: string;
  readonly kind?: number;
  readonly linkPath?: string;
  readonly size?: number;
}

function place(list: readonly Wanted[], options: Partial<PlaceBatch> = {}): PlaceResult {
  fs.mkdirSync(at('to'), { recursive: true });
  const batch: PlaceBatch = {
    base: `${at('to')}/`,
    paths: list.map(({ path }) => path).join('\0'),
    linkPaths: list.map(({ path, linkPath }) => linkPath ?? path).join('\0'),
    kinds: Uint8Array.from(list.map(({ kind }) => kind ?? FILE)),
    sizes: Float64Array.from(list.map(({ content, size }) => size ?? content.length)),
    digests: Buffer.concat(list.map(({ content }) => rawDigestOf(Buffer.from(content)))),
    how: ['copy'],
    readOnly: false,
    ...options,
  };
  return placeBatch(batch, workspace().store.reader, realFiles);
}

function codes(result: PlaceResult): string[] {
  return result.problems.map(({ code }) => code);
}

test('two names that a file system takes for one are a problem of the second', async () => {
  await storeBlob(workspace().store, 'a');
  await storeBlob(workspace().store, 'b');
  const result = place([
    { path: 'same', content: 'a' },
    { path: 'same', content: 'b' },
    { path: 'same', content: 'a', kind: LINK },
  ]);
  expect(codes(result)).toEqual(['ERR_FILE_NAME', 'ERR_FILE_NAME']);
  expect(fs.readFileSync(at('to/same'), 'utf8')).toBe('a');
});

test('nothing is written through a link that lies there', async () => {
  await storeBlob(workspace().store, 'a');
  fs.mkdirSync(at('to'), { recursive: true });
  fs.writeFileSync(at('outside'), 'outside');
  fs.symlinkSync('../outside', at('to/link'));
  expect(codes(place([{ path: 'link', content: 'a' }]))).toEqual(['ERR_FILE_NAME']);
  expect(fs.readFileSync(at('outside'), 'utf8')).toBe('outside');
});

test.each(['/etc', '../x', 'a/../../x', ''])('a link to %j is not made', async (target) => {
  await storeBlob(workspace().store, target);
  expect(codes(place([{ path: 'l', content: target, kind: LINK }]))).toEqual(['ERR_LINK_ESCAPES']);
  expect(fs.existsSync(at('to/l'))).toBe(false);
});

test('a link is judged by where it is going to lie', async () => {
  await storeBlob(workspace().store, '../x');
  expect(codes(place([{ path: '0', content: '../x', kind: LINK, linkPath: 'd/l' }]))).toEqual([]);
  expect(fs.readlinkSync(at('to/0'))).toBe('../x');
});

test('modes follow the umask, the exec bit and read-only', async () => {
  await storeBlob(workspace().store, 'a');
  const mode = (path: string): number => fs.statSync(at('to', path)).mode & 0o777;
  place([
    { path: 'f', content: 'a' },
    { path: 'x', content: 'a', kind: EXECUTABLE },
  ]);
  place(
    [
      { path: 'rf', content: 'a' },
      { path: 'rx', content: 'a', kind: EXECUTABLE },
    ],
    { readOnly: true },
  );
  const umask = process.umask();
  expect(['f', 'x', 'rf', 'rx'].map(mode)).toEqual([0o666, 0o777, 0o444, 0o555].map((full) => full & ~umask));
});

test('missing and damaged objects, and sizes that are not theirs, are problems of their files', async () => {
  await storeBlob(workspace().store, 'good');
  await storeBlob(workspace().store, 'bad', true);
  const pack = fs.readdirSync(at('.sluice/packs'))[0] ?? '';
  fs.chmodSync(at('.sluice/packs', pack), 0o644);
  const fd = fs.openSync(at('.sluice/packs', pack), 'r+');
  fs.writeSync(fd, '#', 8 + 44);
  fs.closeSync(fd);
  workspace().store.reader.catalog.refresh();
  const result = place([
    { path: 'bad', content: 'bad' },
    { path: 'gone', content: 'gone' },
    { path: 'longer', content: 'good', size: 5 },
    { path: 'good', content: 'good' },
  ]);
  expect(codes(result)).toEqual(['ERR_OBJECT_DAMAGED', 'ERR_OBJECT_MISSING', 'ERR_TREE_INVALID']);
  expect(fs.readFileSync(at('to/good'), 'utf8')).toBe('good');
  expect(digestOf('good')).toBe(digestOf(fs.readFileSync(at('to/good'))));
});
