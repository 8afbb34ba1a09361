import fs from 'node:fs';
import { asSluiceError } from '../errors.js';
import { rawDigestOf } from '../model/digest.js';
import { failingFiles } from '../testing/failing-files.js';
import { addTree, storeTree, type TestFiles } from '../testing/store-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import { completeness } from './complete.js';
import { type Files, realFiles } from './files.js';
import { listNames } from './lease.js';
import { openStore, type Store } from './store.js';
import { verifyStore } from './verify.js';

const temp = useTempDir();

const LARGE = 'large '.repeat(12_000);
const OLD: TestFiles = { same: 'same', 'd/old': 'old' };
const NEW: TestFiles = { same: 'same', 'd/new': 'new', 'e/large': LARGE };

/** Writes a tree with the k-th call failing, for k = 1, 2, … until none does. Returns the codes that were met. */
async function failEach(code: string, forGood: boolean, packed: boolean): Promise<Set<string>> {
  const codes = new Set<string>();
  for (let k = 1, fired = true; fired; k++) {
    const dir = temp(`${k}`);
    const setUp = openStore({ dir, durability: 'none' });
    const old = await storeTree(setUp, OLD, true);
    setUp.close();
    const faulty = failingFiles();
    faulty.failAt(k, forGood, code);
    let error: unknown;
    try {
      const store = openStore({ dir, durability: 'batch', files: faulty.files });
      await storeTree(store, NEW, packed);
      store.close();
    } catch (caught) {
      error = caught;
    }
    fired = faulty.hasFailed();
    if (error !== undefined) codes.add(asSluiceError(error).code);

    const fresh = openStore({ dir, durability: 'none' });
    // All or nothing of what was to be written can be named; what there was is there.
    const report = await verifyStore(fresh, { deep: true, roots: [{ root: old, why: 'old' }] });
    expect([k, report.findings, report.incomplete]).toEqual([k, [], []]);
    const root = await storeTree(fresh, NEW, packed);
    fresh.reader.catalog.refresh();
    expect(completeness(fresh.reader, root)).toBe('complete');
    expect(fresh.reader.read('blob', rawDigestOf(Buffer.from(LARGE))).toString() === LARGE).toBe(true);
    fresh.close();
    fs.rmSync(dir, { recursive: true });
  }
  return codes;
}

test('a full disk has its own code and loses nothing', async () => {
  expect([...(await failEach('ENOSPC', false, true))]).toEqual(['ERR_DISK_FULL']);
});

test('a call that fails once loses nothing', async () => {
  expect([...(await failEach('EIO', false, false))]).toEqual(['ERR_IO']);
});

test('calls that fail for good lose nothing', async () => {
  expect([...(await failEach('EIO', true, true))]).toEqual(['ERR_IO']);
});

test('what is being written is not visible before it is published', async () => {
  let watched: Store | undefined;
  const files: Files = {
    ...realFiles,
    renameSync: (from, to) => {
      if (String(to).endsWith('.pack')) expect(fs.readFileSync(String(from)).subarray(-4).toString()).toBe('SLPE');
      watched?.reader.catalog.refresh();
      realFiles.renameSync(from, to);
    },
  };
  const store = openStore({ dir: temp('store'), durability: 'none', files });
  watched = openStore({ dir: temp('store'), durability: 'none' });
  await store.write((session) => {
    const ingestor = session.ingestor(true);
    addTree(ingestor, NEW);
    const done = ingestor.finish();
    expect(listNames(realFiles, store.layout.packs)).toEqual([]);
    session.publish([done]);
  });
  expect(listNames(realFiles, store.layout.packs)).toHaveLength(2);
  watched.close();
  store.close();
});

describe('a store that may not be written', () => {
  /** Every call that writes fails; reading works. */
  function readOnly(code: string): Files {
    const refuse = (path: unknown): never => {
      throw Object.assign(new Error(`${code}: ${path}`), { code, path: String(path) });
    };
    return {
      ...realFiles,
      mkdirSync: refuse,
      renameSync: refuse,
      openSync: (path, flags, mode) => (flags === 'r' ? realFiles.openSync(path, flags, mode) : refuse(path)),
    };
  }

  test.each(['EROFS', 'EACCES', 'EPERM'])('%s is ERR_STORE_UNWRITABLE, and reading goes on', async (code) => {
    const setUp = openStore({ dir: temp('store') });
    const root = await storeTree(setUp, NEW);
    setUp.close();
    const store = openStore({ dir: temp('store'), files: readOnly(code) });
    await expect(storeTree(store, OLD)).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE', exitCode: 2 });
    await expect(store.acquire('x', { wait: true, what: 'x' })).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE' });
    expect(completeness(store.reader, root)).toBe('complete');
    store.close();
  });

  test('so it is when only a part of it may not be written', async () => {
    const setUp = openStore({ dir: temp('store') });
    const files: Files = {
      ...realFiles,
      renameSync: (from, to) => {
        if (!String(to).startsWith(setUp.layout.objects)) return realFiles.renameSync(from, to);
        throw Object.assign(new Error('EACCES'), { code: 'EACCES', path: from });
      },
    };
    const store = openStore({ dir: temp('store'), files });
    await expect(storeTree(store, OLD)).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE' });
    expect(listNames(realFiles, store.layout.tmp)).toEqual([]);
    setUp.close();
    store.close();
  });
});
