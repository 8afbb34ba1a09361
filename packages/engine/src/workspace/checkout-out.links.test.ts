import fs from 'node:fs';
import { digestOf, hexOf } from '../model/digest.js';
import { realFiles } from '../store/files.js';
import { looseName } from '../store/layout.js';
import { LARGE, MANY, OUT, settle, useCheckouts } from '../testing/checkouts.js';
import { readTree } from '../testing/disk-tree.js';
import { createBulk } from './bulk.js';
import { type CheckoutOptions, checkoutOut } from './checkout-out.js';

const { workspace, at, stored, seen, checkout, remove, leftovers, pendingCount } = useCheckouts();

describe('hard links', () => {
  const STRICT: CheckoutOptions = { how: ['hardlink', 'copy'], readOnly: true };
  const object = (): string => at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE))));

  test('large files are the objects themselves, read-only; small ones and executables are copies', async () => {
    const root = await stored(MANY);
    remove();
    await checkout(root, STRICT);
    expect(fs.statSync(at(OUT, 'large')).ino).toBe(fs.statSync(object()).ino);
    expect(fs.statSync(at(OUT, 'large')).mode & 0o222).toBe(0);
    expect(fs.statSync(at(OUT, 'd0/f0')).mode & 0o222).toBe(0);
    expect(fs.statSync(at(OUT, 'run')).mode & 0o333).toBe(0o111);
    expect((await seen())?.root).toEqual(root);
  });

  test('one more link elsewhere does not make them be read again', async () => {
    const root = await stored(MANY);
    remove();
    await settle();
    await checkout(root, STRICT);
    await settle();
    await seen();
    fs.linkSync(object(), at('p/another'));
    expect(await pendingCount()).toBe(0);
  });

  test('writing through one is seen, and the object is not served again', async () => {
    const root = await stored(MANY);
    remove();
    await checkout(root, STRICT);
    await settle();
    await seen();
    fs.chmodSync(at(OUT, 'large'), 0o644);
    const fd = fs.openSync(at(OUT, 'large'), 'r+');
    fs.writeSync(fd, 'EDITED', 0);
    fs.closeSync(fd);
    expect((await seen())?.root.digest).not.toBe(root.digest);
    remove();
    await expect(checkout(root, STRICT)).rejects.toMatchObject({ code: 'ERR_OBJECT_DAMAGED' });
    expect(fs.existsSync(at(OUT))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test.each(['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'])('where one is refused with %s, a copy is made', async (code) => {
    const root = await stored(MANY);
    remove();
    const refuse = (): never => {
      throw Object.assign(new Error(code), { code });
    };
    const files = { ...realFiles, linkSync: refuse, copyFileSync: refuse };
    const other = { ...workspace(), bulk: createBulk(files, undefined, 0) };
    await checkoutOut(other, OUT, root, undefined, { how: ['hardlink', 'reflink', 'copy'], readOnly: true });
    expect(fs.statSync(at(OUT, 'large')).nlink).toBe(1);
    expect(fs.statSync(at(OUT, 'large')).mode & 0o222).toBe(0);
    expect(readTree(at(OUT))).toEqual(MANY);
  });
});
