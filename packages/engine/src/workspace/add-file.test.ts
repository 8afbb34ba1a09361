import fs from 'node:fs';
import { parseRelPath } from '../model/path.js';
import { useTempDir } from '../testing/temp-dir.js';
import { addFile } from './add-file.js';

const dir = useTempDir();
const path = parseRelPath('p/table.csv');

test('a file is copied once; another one is left alone', async () => {
  fs.mkdirSync(dir('w'));
  fs.writeFileSync(dir('table.csv'), 'a,b\n');
  const options = { from: dir('table.csv'), root: dir('w'), path };
  expect(await addFile({ ...options, dryRun: true })).toEqual({ files: 1, bytes: 4, written: true });
  expect(fs.readdirSync(dir('w'))).toEqual([]);
  expect((await addFile(options)).written).toBe(true);
  expect(fs.readFileSync(dir('w/p/table.csv'), 'utf8')).toBe('a,b\n');
  expect(fs.readdirSync(dir('w/.sluice/moves'))).toEqual([]);
  expect((await addFile(options)).written).toBe(false);
  fs.writeFileSync(dir('w/p/table.csv'), 'a;b\n');
  await expect(addFile(options)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  expect(fs.readFileSync(dir('w/p/table.csv'), 'utf8')).toBe('a;b\n');
});

test('what is no file', async () => {
  for (const from of [dir('absent'), dir()]) {
    await expect(addFile({ from, root: dir(), path })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  }
});
