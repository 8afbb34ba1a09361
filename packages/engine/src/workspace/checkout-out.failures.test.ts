import fs from 'node:fs';
import { digestOf, hexOf } from '../model/digest.js';
import { looseName } from '../store/layout.js';
import { COPY, LARGE, MANY, OUT, useCheckouts } from '../testing/checkouts.js';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { failingFiles } from '../testing/failing-files.js';
import { storeOut } from '../testing/workspace.js';
import { createBulk } from './bulk.js';
import { checkoutOut } from './checkout-out.js';

const { workspace, at, stored, seen, checkout, remove, leftovers } = useCheckouts();

describe('what goes wrong', () => {
  test('a missing object leaves the out as it was', async () => {
    const root = await stored(diskTree({ a: LARGE, b: 'b' }));
    const old = diskTree({ old: 'old' });
    await stored(old);
    fs.rmSync(at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE)))));
    await expect(checkout(root)).rejects.toMatchObject({ code: 'ERR_OBJECT_MISSING' });
    expect(readTree(at(OUT))).toEqual(old);
    expect(leftovers()).toEqual([]);
  });

  test('an abort leaves the out as it was', async () => {
    const root = await stored(MANY);
    const old = diskTree({ old: 'old' });
    await stored(old);
    await expect(checkout(root, { ...COPY, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_INTERRUPTED',
    });
    expect(readTree(at(OUT))).toEqual(old);
    expect(leftovers()).toEqual([]);
  });

  test.each(['ENOSPC', 'EIO'])('%s at any call leaves the out as it was', async (code) => {
    const root = await stored(diskTree({ a: LARGE, b: 'b', 'd/c': 'c', l: { kind: 'link', target: 'b' } }));
    const old = diskTree({ old: 'old' });
    await stored(old);
    const { snapshot } = (await seen()) ?? {};
    const faulty = failingFiles();
    const other = { ...workspace(), bulk: createBulk(faulty.files, undefined, 0) };
    const codes = new Set<unknown>();
    for (let k = 1; ; k++) {
      faulty.failAt(k, false, code);
      const error: unknown = await checkoutOut(other, OUT, root, snapshot, COPY).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (!faulty.hasFailed()) break;
      if (error === undefined) {
        // It could do without the call.
        await stored(old);
        continue;
      }
      codes.add(error instanceof Error && 'code' in error ? error.code : error);
      expect([k, readTree(at(OUT))]).toEqual([k, old]);
      expect(leftovers()).toEqual([]);
    }
    expect([...codes]).toEqual([code === 'ENOSPC' ? 'ERR_DISK_FULL' : 'ERR_IO']);
  });

  test('a tree that says other sizes than its lock or its objects is refused', async () => {
    const root = await stored(diskTree({ a: 'a' }));
    remove();
    for (const wrong of [
      { ...root, bytes: 5 },
      { ...root, files: 2 },
    ]) {
      await expect(checkout(wrong)).rejects.toMatchObject({ code: 'ERR_TREE_INVALID' });
    }
    fs.writeFileSync(at(OUT), 'file');
    const single = await storeOut(workspace(), OUT);
    remove();
    await expect(checkout({ ...single, bytes: 5 })).rejects.toMatchObject({ code: 'ERR_TREE_INVALID' });
    expect(fs.existsSync(at(OUT))).toBe(false);
  });
});
