import fs from 'node:fs';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { makeStage, writeMakeStage } from '../testing/make-stage.js';
import { type TestStages, useStages } from '../testing/stage-context.js';

const stages = useStages();
let s: TestStages;
beforeEach(() => {
  s = stages();
  writeMakeStage(s);
});

const before = diskTree({ a: 'in\n', 'd/b': 'b\n' });

test.each<[string, string, string, string]>([
  ['fails', 'rm -rf out; mkdir out; echo half > out/a; exit 3', 'ERR_COMMAND_FAILED', 'exit code 3'],
  ['makes no out', 'true', 'ERR_OUT_MISSING', 'p/out'],
  ['is killed', 'kill -9 $$', 'ERR_COMMAND_FAILED', 'SIGKILL'],
  ['makes a pipe', 'mkdir out; mkfifo out/pipe', 'ERR_FILE_KIND', 'pipe'],
  ['makes a link out of its out', 'mkdir out; ln -s ../in.txt out/l', 'ERR_LINK_ESCAPES', 'out/l'],
  ['changes its dep', 'echo more >> in.txt; mkdir out', 'ERR_DEP_CHANGED', 'p/in.txt'],
  ['removes its dep', 'rm in.txt; mkdir out', 'ERR_DEP_CHANGED', 'p/in.txt'],
])('%s: the outs are as they were', async (_, command, code, text) => {
  await s.run('make');
  const lock = s.read('p/sluice-lock.json');
  s.declare('make', makeStage({ command }));
  await expect(s.run('make')).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  expect(readTree(s.at('p/out'))).toEqual(before);
  expect(s.read('p/sluice-lock.json')).toBe(lock);
  expect(fs.readdirSync(s.at('.sluice/moves'))).toEqual([]);
  expect(fs.readdirSync(s.at('.sluice/tmp'))).toEqual([]);
});

test('where nothing was, nothing is', async () => {
  s.declare('make', makeStage({ command: 'mkdir out; echo half > out/a; false' }));
  await expect(s.run('make')).rejects.toMatchObject({ code: 'ERR_COMMAND_FAILED', exitCode: 1 });
  expect(fs.existsSync(s.at('p/out'))).toBe(false);
  expect(s.lock().stages.size).toBe(0);
});

test('a dep that changes is only told, if so declared; the result is filed nowhere', async () => {
  s.declare('make', makeStage({ command: 'sh make.sh; echo more >> in.txt', onDepChange: 'warn' }));
  await s.run('make');
  expect(s.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'ERR_DEP_CHANGED' }));
  expect(await s.outcome('make')).toBe('ran, dep p/in.txt');
  s.write('p/in.txt', 'in\n');
  expect((await s.decide('make')).kind).toBe('changed');
});

test('a dep that is not there', async () => {
  s.remove('p/in.txt');
  await expect(s.run('make')).rejects.toMatchObject({ code: 'ERR_DEP_MISSING', details: { dep: 'p/in.txt' } });
  expect(s.runs('make')).toBe(0);
});

test('a working directory that is not there', async () => {
  s.declare('make', makeStage({ cwd: 'nowhere' }));
  await expect(s.run('make')).rejects.toMatchObject({ code: 'ERR_STAGE_DEFINITION' });
});
