import fs from 'node:fs';
import { digestOf, hexOf } from '../model/digest.js';
import { looseName } from '../store/layout.js';
import { changed, LARGE, MANY, OUT, settle, useCheckouts } from '../testing/checkouts.js';
import { diskTree, readTree } from '../testing/disk-tree.js';

const { at, stored, seen, part, remove, leftovers } = useCheckouts();

describe('a part', () => {
  const inD0 = (path: string): boolean => path.startsWith('d0/');

  test('is put in place, and known to be a part', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    expect([...readTree(at(OUT)).keys()].every((path) => path === 'd0' || inD0(path))).toBe(true);
    expect((await seen())?.partOf).toBe(root.digest);
    // A look that reads nothing, and one that reads all, say the same.
    await settle();
    expect((await seen())?.partOf).toBe(root.digest);
  });

  test('grows until it is whole', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    await part(root, (path) => path === 'd1/up');
    expect((await seen())?.partOf).toBe(root.digest);
    expect(fs.existsSync(at(OUT, 'd0/f0'))).toBe(true);
    const { unchanged } = await part(root, () => true);
    expect(unchanged).toBeGreaterThan(0);
    expect(await seen()).toMatchObject({ root, partOf: undefined });
    expect(readTree(at(OUT))).toEqual(MANY);
  });

  test('that was edited is no part any more', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    fs.writeFileSync(at(OUT, 'd0/f0'), 'by hand');
    expect((await seen())?.partOf).toBeUndefined();
  });

  test('of another version follows it', async () => {
    const next = await stored(changed({ 'd0/f0': 'new' }, ['d0/f4']));
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    await part(next, (path) => path === 'd1/f1');
    expect((await seen())?.partOf).toBe(next.digest);
    // What is no longer so goes, and comes back when somebody wants it.
    expect(['d0/f0', 'd0/f4', 'd0/f8'].map((path) => fs.existsSync(at(OUT, path)))).toEqual([false, false, true]);
    expect(fs.existsSync(at(OUT, 'd1/f1'))).toBe(true);
  });

  test('of a root whose other bytes are nowhere', async () => {
    const root = await stored(diskTree({ 'a/x': LARGE, b: 'b' }));
    remove();
    fs.rmSync(at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE)))));
    await part(root, (path) => path === 'b');
    expect(readTree(at(OUT))).toEqual(diskTree({ b: 'b' }));
    await expect(part(root, () => true)).rejects.toMatchObject({ code: 'ERR_OBJECT_MISSING' });
    expect((await seen())?.partOf).toBe(root.digest);
    expect(leftovers()).toEqual([]);
  });
});
