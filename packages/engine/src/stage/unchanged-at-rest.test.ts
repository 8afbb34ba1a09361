import fs from 'node:fs';
import { makeStage, writeMakeStage } from '../testing/make-stage.js';
import { type TestStages, useStages } from '../testing/stage-context.js';
import { moveAside, moveOf } from '../workspace/moves.js';
import { holdStage } from './hold.js';
import { Resolver } from './resolve.js';
import { type RunOptions, type RunResult, unchangedAtRest } from './run-stage.js';

const stages = useStages();
let s: TestStages;
beforeEach(async () => {
  s = stages();
  writeMakeStage(s);
  await s.run('make');
});

function look(options: Partial<RunOptions> = {}): Promise<RunResult | undefined> {
  const context = s.context();
  const how = { force: false, wait: true, materialize: true, ...options };
  return unchangedAtRest(context, s.stage('make'), how, new Resolver(context));
}

test('says what runStage says of an unchanged stage', async () => {
  expect(await look()).toEqual(await s.run('make'));
});

test('says nothing of a stage that somebody holds, until it is free', async () => {
  const held = await holdStage(s.context(), s.stage('make'), false);
  expect(await look()).toBeUndefined();
  held.release();
  expect(await look()).toBeDefined();
});

test('says nothing where a dead owner left an out half replaced', async () => {
  const [out] = s.stage('make').outs;
  if (out === undefined) throw new Error('the stage has an out');
  fs.cpSync(s.at('p/out'), s.at('copy'), { recursive: true, preserveTimestamps: true });
  moveAside(moveOf(s.workspace.root, out.path));
  fs.renameSync(s.at('copy'), s.at('p/out'));
  expect(await look()).toBeUndefined();
});

test('says nothing when there is something to do', async () => {
  expect(await look({ force: true })).toBeUndefined();
  s.remove('p/out');
  expect(await look({ materialize: false })).toMatchObject({ outcome: 'unchanged', referenceOnly: ['p/out'] });
  expect(await look()).toBeUndefined();
  s.declare('make', makeStage({ command: 'sh make.sh # ' }));
  expect(await look()).toBeUndefined();
});
