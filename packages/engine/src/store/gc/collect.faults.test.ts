import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { failingFiles } from '../../testing/failing-files.js';
import { testRoots } from '../../testing/gc-roots.js';
import { storeTree, type TestFiles } from '../../testing/store-tree.js';
import { realFiles } from '../files.js';
import { listNames } from '../lease.js';
import { storeStat } from '../stat.js';
import { openStore } from '../store.js';
import { verifyStore } from '../verify.js';
import { collect } from './collect.js';

let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-faults-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

function version(number: number): TestFiles {
  return { same: 'same', a: `a ${number}`, 'd/b': `b ${number}`, 'd/c': `c ${number}` };
}

/** Collects with the k-th call failing, for k = 1, 2, … until none does. */
async function failEach(forGood: boolean, code: string): Promise<void> {
  for (let k = 1, fired = true; fired; k++) {
    const where = join(dir, `${k}`);
    const setUp = openStore({ dir: where, durability: 'none' });
    await storeTree(setUp, version(1), true);
    await storeTree(setUp, version(2), false);
    const live = await storeTree(setUp, { ...version(3), old: 'a 1' }, true);
    setUp.close();
    const faulty = failingFiles();
    const store = openStore({ dir: where, durability: 'none', files: faulty.files });
    faulty.failAt(k, forGood, code);
    await collect(store, { roots: testRoots([live]) }).catch(() => undefined);
    fired = faulty.hasFailed();

    // The process is over, so nobody holds its locks and leases any more.
    for (const folder of ['locks', 'leases']) fs.rmSync(join(where, folder), { recursive: true, force: true });

    const fresh = openStore({ dir: where, durability: 'none' });
    const refs = [{ root: live, why: `call ${k}` }];
    // What the failed collection left in the trash is brought back by whoever needs it, or by the next collection.
    await collect(fresh, { roots: testRoots([live]) });
    expect(await verifyStore(fresh, { deep: true, roots: refs })).toMatchObject({ findings: [], incomplete: [] });
    expect([k, storeStat(fresh)]).toMatchObject([k, { blobs: 5, trees: 2 }]);
    for (const folder of [fresh.layout.tmp, fresh.layout.trash]) expect(listNames(fs, folder)).toEqual([]);
    fresh.close();
    fs.rmSync(where, { recursive: true, force: true });
  }
}

test('a call that fails once loses nothing', () => failEach(false, 'EIO'), 120_000);
test('calls that fail for good lose nothing', () => failEach(true, 'EACCES'), 120_000);

test('on a full disk what needs no room is deleted all the same', async () => {
  const setUp = openStore({ dir, durability: 'none' });
  await storeTree(setUp, { x: 'dead and loose' });
  await storeTree(setUp, { ...version(1), dead: 'dead and packed' }, true);
  const live = await storeTree(setUp, version(1), true);
  setUp.close();
  const store = openStore({ dir, durability: 'none', files: { ...realFiles, writeSync: noRoom } });
  const report = await collect(store, { roots: testRoots([live]) });
  expect(report.removed).toMatchObject({ blobs: 1, trees: 1 });
  expect(report.left).toMatchObject({ blobs: 1 });
  expect(report.problems).toMatchObject([{ code: 'ERR_DISK_FULL' }]);
  store.close();
});

function noRoom(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}
