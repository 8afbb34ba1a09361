import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { parseRelPath } from '../model/path.js';
import { anyDiskTree, type DiskTree, diskTree, writeTree } from '../testing/disk-tree.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { useWorkspace } from '../testing/workspace.js';
import { observe } from './observe.js';

const { workspace, at } = useWorkspace();
const OUT = parseRelPath('out');

function sha(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** The format page, written down as plainly as it can be: the node of one directory of a tree. */
function naiveNode(tree: DiskTree, path: string): { raw: Buffer; files: number; bytes: number } {
  const prefix = path === '' ? '' : `${path}/`;
  const names = [...tree.keys()].filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'));
  const sorted = names.map((key) => Buffer.from(key.slice(prefix.length))).sort(Buffer.compare);
  let files = 0;
  let bytes = 0;
  const rows = sorted.map((name) => {
    const key = prefix + name.toString();
    const entry = tree.get(key);
    if (entry === undefined) throw new Error(key);
    const below = entry.kind === 'dir' ? naiveNode(tree, key) : undefined;
    const content = Buffer.from(entry.kind === 'link' ? entry.target : entry.kind === 'dir' ? '' : entry.content);
    const size = below?.bytes ?? content.length;
    files += below?.files ?? 1;
    bytes += size;
    return Buffer.concat([
      Buffer.from([['file', 'exec', 'link', 'dir'].indexOf(entry.kind)]),
      varint(name.length),
      name,
      varint(size),
      below === undefined ? Buffer.alloc(0) : varint(below.files),
      below?.raw ?? sha(content),
    ]);
  });
  const node = Buffer.concat([Buffer.from('SLT1\0'), varint(files), varint(bytes), varint(rows.length), ...rows]);
  return { raw: sha(node), files, bytes };
}

test('gives the root that the format page gives, with an index and without', async () => {
  await fc.assert(
    fc.asyncProperty(anyDiskTree, anyDiskTree, async (before, tree) => {
      for (const wanted of [before, tree]) {
        writeTree(at('out'), wanted);
        const { raw, files, bytes } = naiveNode(wanted, '');
        for (const look of ['first', 'second']) {
          const seen = await observe(workspace(), OUT, { as: 'out' });
          expect([look, seen?.root]).toEqual([
            look,
            { kind: 'tree', digest: `sha256:${raw.toString('hex')}`, exec: false, files, bytes },
          ]);
        }
      }
    }),
    fuzzRuns(25, 0.05),
  );
}, 600_000);

test('a single file is a blob, and keeps its exec bit', async () => {
  writeTree(at('d'), diskTree({ plain: '1\n', run: { kind: 'exec', content: '1\n' } }));
  const digest = `sha256:${sha(Buffer.from('1\n')).toString('hex')}`;
  for (const [name, exec] of [
    ['plain', false],
    ['run', true],
  ] as const) {
    const seen = await observe(workspace(), parseRelPath(`d/${name}`), { as: 'out' });
    expect(seen?.root).toEqual({ kind: 'blob', digest, exec, files: 1, bytes: 2 });
  }
});

test('an empty directory is a tree', async () => {
  writeTree(at('out'), new Map());
  const seen = await observe(workspace(), OUT, { as: 'out' });
  expect(seen?.root).toMatchObject({ kind: 'tree', files: 0, bytes: 0 });
});
