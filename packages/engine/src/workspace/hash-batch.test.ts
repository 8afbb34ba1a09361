import fs from 'node:fs';
import { digestFromRaw, digestOf } from '../model/digest.js';
import { parseRelPath } from '../model/path.js';
import { FILE, LINK } from '../model/tree.js';
import { Ingestor } from '../store/ingest.js';
import { diskTree, writeTree } from '../testing/disk-tree.js';
import { useWorkspace } from '../testing/workspace.js';
import { type HashBatch, type HashResult, hashBatch, scratchBuffer } from './hash-batch.js';
import { look, observe } from './observe.js';
import { storeSnapshot } from './store-snapshot.js';

const { workspace, at } = useWorkspace();
const scratch = scratchBuffer();
const OUT = parseRelPath('out');

/** A batch as a walk sees the files now. */
function batchOf(names: readonly string[], confineLinks = true): HashBatch {
  const stats = new Float64Array(names.length * 4);
  const kinds = new Uint8Array(names.length);
  names.forEach((name, i) => {
    const stat = fs.lstatSync(at('out', name));
    kinds[i] = stat.isSymbolicLink() ? LINK : FILE;
    stats.set([stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino], i * 4);
  });
  return { base: `${at('out')}/`, paths: names.join('\0'), kinds, stats, confineLinks };
}

function hash(batch: HashBatch): HashResult {
  return hashBatch(batch, undefined, scratch);
}

/** Reads the files of the out into the store, after `change` has happened behind the walk's back. */
async function ingest(change: () => void): Promise<string> {
  const { snapshot } = await look(workspace(), OUT, { as: 'out' });
  if (snapshot === undefined) throw new Error('nothing there');
  change();
  return workspace().store.write(async (session) => {
    const { root, unpublished } = await storeSnapshot(workspace(), session, OUT, snapshot, { bulk: workspace().bulk });
    session.publish(unpublished);
    return root.digest;
  });
}

const LARGE = 'large'.repeat(20_000);

test('gives digests and stats', () => {
  writeTree(at('out'), diskTree({ a: 'a', empty: '', large: LARGE, l: { kind: 'link', target: 'a' } }));
  const names = ['a', 'empty', 'large', 'l'];
  const result = hash(batchOf(names));
  expect(names.map((_, i) => digestFromRaw(result.digests, i * 32))).toEqual(['a', '', LARGE, 'a'].map(digestOf));
  expect(result.problems).toEqual([]);
  expect(result.stats).toEqual(batchOf(names).stats);
});

test.each(['a', LARGE])('a file that changed since the walk is taken as it is now', (text) => {
  writeTree(at('out'), diskTree({ a: text }));
  const batch = batchOf(['a']);
  fs.writeFileSync(at('out/a'), `${text} and more`);
  const result = hash(batch);
  expect(digestFromRaw(result.digests)).toBe(digestOf(`${text} and more`));
  expect(result.stats).toEqual(batchOf(['a']).stats);
});

test.each<[string, () => void]>([
  ['is gone', () => fs.rmSync(at('out/a'))],
  [
    'became a link',
    () => {
      fs.rmSync(at('out/a'));
      fs.symlinkSync('b', at('out/a'));
    },
  ],
  [
    'became a directory',
    () => {
      fs.rmSync(at('out/a'));
      fs.mkdirSync(at('out/a'));
    },
  ],
  ['became executable', () => fs.chmodSync(at('out/a'), 0o755)],
])('a file that %s meanwhile is a problem of that file alone', (_, change) => {
  writeTree(at('out'), diskTree({ a: 'a', b: 'b' }));
  const batch = batchOf(['a', 'b']);
  change();
  const result = hash(batch);
  expect(result.problems.map(({ code }) => code)).toEqual(['ERR_FILE_CHANGED']);
  expect(digestFromRaw(result.digests, 32)).toBe(digestOf('b'));
});

test.each<[string, () => void]>([
  ['is gone', () => fs.rmSync(at('out/l'))],
  [
    'became a file',
    () => {
      fs.rmSync(at('out/l'));
      fs.writeFileSync(at('out/l'), '');
    },
  ],
])('a link that %s meanwhile is such a problem too', (_, change) => {
  writeTree(at('out'), diskTree({ b: 'b', l: { kind: 'link', target: 'b' } }));
  const batch = batchOf(['l', 'b']);
  change();
  expect(hash(batch).problems.map(({ code }) => code)).toEqual(['ERR_FILE_CHANGED']);
});

test('a file that is written all the time is refused', async () => {
  writeTree(at('out'), diskTree({ a: '0', b: LARGE }));
  for (const name of ['a', 'b']) {
    const batch = batchOf([name]);
    let reads = 0;
    const files = {
      ...fs,
      readSync: ((fd: number, buffer: Buffer, ...rest: [number, number, null]) => {
        const read = fs.readSync(fd, buffer, ...rest);
        if (read > 0) fs.appendFileSync(at('out', name), String(reads++));
        return read;
      }) as typeof fs.readSync,
    };
    await workspace().store.write((session) => {
      const ingestor = new Ingestor(files, session.settings(false), workspace().store.reader.catalog);
      const result = hashBatch(batch, ingestor, scratch);
      expect(result.problems.map(({ code }) => code)).toEqual(['ERR_FILE_CHANGED']);
      session.publish([ingestor.finish()]);
    });
  }
  expect(workspace().store.reader.catalog.has('blob', Buffer.alloc(32))).toBe(false);
});

test('links that leave the out are refused, in a dep they are taken as they are', async () => {
  writeTree(at('out'), diskTree({ 'd/l': { kind: 'link', target: '../../x' }, m: { kind: 'link', target: '/etc' } }));
  expect(hash(batchOf(['d/l', 'm'])).problems.map(({ code }) => code)).toEqual([
    'ERR_LINK_ESCAPES',
    'ERR_LINK_ESCAPES',
  ]);
  expect(digestFromRaw(hash(batchOf(['m'], false)).digests)).toBe(digestOf('/etc'));
  await expect(observe(workspace(), OUT, { as: 'out' })).rejects.toMatchObject({
    code: 'ERR_LINK_ESCAPES',
    details: { problems: [{ code: 'ERR_LINK_ESCAPES' }, { code: 'ERR_LINK_ESCAPES' }] },
  });
  expect((await observe(workspace(), OUT, { as: 'dep' }))?.root.files).toBe(2);
});

test('a dep that is a link stands for what it points to', async () => {
  writeTree(at('data'), diskTree({ a: 'a' }));
  fs.symlinkSync('data', at('dir'));
  fs.symlinkSync('data/a', at('file'));
  const dep = async (path: string) => (await observe(workspace(), parseRelPath(path), { as: 'dep' }))?.root;
  expect(await dep('dir')).toEqual(await dep('data'));
  expect(await dep('file')).toEqual(await dep('data/a'));
});

test('a file that cannot be opened is named', () => {
  writeTree(at('out'), diskTree({ a: 'a' }));
  const batch = { ...batchOf(['a']), paths: 'x'.repeat(300) };
  expect(hash(batch).problems.map(({ code }) => code)).toEqual(['ERR_FILE_UNREADABLE']);
});

test('what lies in the store is what the root says, even if a file changes between look and read', async () => {
  writeTree(at('out'), diskTree({ 'd/a': 'a', b: 'b' }));
  await new Promise((done) => setTimeout(done, 25));
  await observe(workspace(), OUT, { as: 'out' });
  const before = await ingest(() => undefined);
  workspace().store.reader.catalog.refresh();
  // The store lost a blob but has its tree: the file is read again, and is another by now.
  fs.rmSync(at('.sluice/objects'), { recursive: true, force: true, maxRetries: 0 });
  await ingest(() => undefined);
  const lost = digestOf('a').slice(7);
  fs.rmSync(at('.sluice/objects', lost.slice(0, 2), lost.slice(2)));
  workspace().store.reader.catalog.refresh();
  const after = await ingest(() => fs.writeFileSync(at('out/d/a'), 'changed'));
  expect(after).not.toBe(before);
  expect(after).toBe((await observe(workspace(), OUT, { as: 'out' }))?.root.digest);
});
