import fs from 'node:fs';
import type { Engine } from '../../engine-api.js';
import { type TestRepository, useRepositories } from '../../testing/repository.js';

const { create, clone } = useRepositories();

const make = (deps: string[], out: string, more: object = {}) => ({
  executor: '@sluice/nx:stage',
  options: {
    command: `cat ${deps.join(' ')} > ${out}`,
    deps: deps.map((dep) => `{projectRoot}/${dep}`),
    outs: [`{projectRoot}/${out}`],
    ...more,
  },
});

/** raw -> a, b -> c -> d; e stands alone. */
const TARGETS = {
  raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } },
  a: make(['raw', 'a.in'], 'a'),
  b: make(['raw', 'b.in'], 'b'),
  c: make(['a', 'b'], 'c'),
  d: make(['c'], 'd'),
  e: make(['e.in'], 'e'),
};

async function workspace(targets: object = TARGETS): Promise<TestRepository> {
  const inputs = { 'p/raw': 'raw', 'p/a.in': 'a', 'p/b.in': 'b', 'p/e.in': 'e' };
  const made = await create({ 'p/project.json': { name: 'p', targets }, ...inputs });
  await made.engine.commit({ select: ['p:raw'] });
  made.commit('Begin');
  return made;
}

/** What git would give somebody else: everything but outs and the store. */
async function cloneOf(of: TestRepository): Promise<TestRepository> {
  of.commit('Go on');
  return await clone(of, 'clone');
}

const run = (engine: Engine, target: string) =>
  engine.runStage({ id: { project: 'p', target } }, { force: false, wait: true, materialize: false });

async function runAll(engine: Engine): Promise<void> {
  for (const target of ['a', 'b', 'c', 'd', 'e']) await run(engine, target);
}

async function planned(engine: Engine, options: { select?: string[]; maxLevels?: number; shards?: number } = {}) {
  const { stages, levels, unchanged } = await engine.plan({ select: [], ...options });
  return {
    unchanged,
    stages: stages.map(({ target, action, why }) => `${target} ${action}: ${why}`),
    levels: levels.map((entries) => entries.map((entry) => entry.stages.join(' '))),
  };
}

test('a new workspace: levels of what runs and of what follows from it', async () => {
  const { engine } = await workspace();
  expect(await planned(engine)).toEqual({
    unchanged: 1,
    stages: [
      'a run: nothing committed yet',
      'b run: nothing committed yet',
      'c may-run: after p:a, p:b',
      'd may-run: after p:c',
      'e run: nothing committed yet',
    ],
    levels: [['p:a', 'p:b', 'p:e'], ['p:c p:d']],
  });
  expect(await engine.plan({ select: ['p:c'], maxLevels: 1 })).toMatchObject({
    unchanged: 1,
    levels: [[{ name: 'p:a and 2 more', stages: ['p:a', 'p:b', 'p:c'], why: 'nothing committed yet' }]],
  });
  expect((await planned(engine, { shards: 2 })).levels).toEqual([['p:a p:e', 'p:b'], ['p:c p:d']]);
});

test('where all is as the locks say, nothing is planned, and no data is asked for', async () => {
  const first = await workspace();
  await runAll(first.engine);
  await first.engine.push({ select: [] });
  expect(await planned((await cloneOf(first)).engine)).toEqual({ unchanged: 6, stages: [], levels: [] });
});

test('what changed, and what reads it; a known result is restored and plans nothing', async () => {
  const first = await workspace();
  const { engine } = first;
  await runAll(engine);
  await engine.push({ select: [] });
  first.write({ 'p/b.in': 'B' });
  const { engine: other } = await cloneOf(first);
  expect(await planned(other)).toEqual({
    unchanged: 3,
    stages: ['b run: dep p/b.in changed', 'c may-run: after p:b', 'd may-run: after p:c'],
    levels: [['p:b p:c p:d']],
  });
  expect((await other.plan({ select: ['p:b'] })).stages).toMatchObject([{ bytes: 3 }]);
  // Somebody else makes it and pushes, without telling git.
  await run(engine, 'b');
  await run(engine, 'c');
  await engine.push({ select: [] });
  expect(await planned(other)).toEqual({
    unchanged: 3,
    stages: ['b restore: dep p/b.in changed', 'c restore: dep p/b changed', 'd run: dep p/c changed'],
    levels: [['p:d']],
  });
});

test('entries are packed by how long their stages took last, on whichever machine that was', async () => {
  const { raw } = TARGETS;
  const slow = make(['e.in'], 'x', { command: 'sleep 0.5; cp e.in x' });
  const first = await workspace({ raw, x: slow, y: make(['e.in'], 'y'), z: make(['e.in'], 'z') });
  // Nobody knows yet, so they are dealt out by name.
  expect((await planned(first.engine, { shards: 2 })).levels).toEqual([['p:x p:z', 'p:y']]);
  for (const target of ['x', 'y', 'z']) await run(first.engine, target);
  await first.engine.push({ select: [] });
  first.write({ 'p/e.in': 'E' });
  const { engine } = await cloneOf(first);
  expect((await planned(engine, { shards: 2 })).levels).toEqual([['p:x', 'p:y p:z']]);
});

test('what others could not find is left to the last, with what reads it', async () => {
  const targets = { ...TARGETS, b: make(['b.in'], 'b', { always: true }), e: make(['e.in'], 'e', { frozen: true }) };
  const { engine, write } = await workspace(targets);
  await runAll(engine);
  write({ 'p/a.in': 'A', 'p/e.in': 'E' });
  expect(await planned(engine)).toMatchObject({
    unchanged: 2,
    stages: [
      'a run: dep p/a.in changed',
      'b left: declared as "always"; what is declared as "always" leaves no record',
      'c left: p:b',
      'd left: p:c',
    ],
    levels: [['p:a']],
  });
});

test('locks are rebuilt from records, without data, as the runs had written them', async () => {
  const first = await workspace();
  const { engine, at, ...second } = await cloneOf(first);
  await runAll(first.engine);
  await first.engine.push({ select: [] });
  const outcomes = async () =>
    (await engine.relock({ select: [] })).stages.map(({ target, outcome }) => `${target} ${outcome}`);
  expect(await outcomes()).toEqual(['a locked', 'b locked', 'c locked', 'd locked', 'e locked', 'raw unchanged']);
  expect(fs.readFileSync(at('p/sluice-lock.json'))).toEqual(fs.readFileSync(first.at('p/sluice-lock.json')));
  for (const out of ['raw', 'a', 'd']) expect(fs.existsSync(at('p', out))).toBe(false);
  expect((await engine.storeStat()).blobs).toBe(0);
  expect((await outcomes()).filter((outcome) => !outcome.endsWith('unchanged'))).toEqual([]);
  expect(await planned(engine)).toMatchObject({ unchanged: 6, stages: [] });
  expect(second.warnings()).toEqual([]);
});

test('a lock is not rebuilt over what somebody has in place', async () => {
  const first = await workspace();
  const { engine, at, write } = await cloneOf(first);
  await runAll(first.engine);
  await first.engine.push({ select: [] });
  write({ 'p/e': 'by hand' });
  expect((await engine.relock({ select: ['p:e'] })).stages).toMatchObject([{ target: 'e', outcome: 'left' }]);
  expect(fs.readFileSync(at('p/e'), 'utf8')).toBe('by hand');
});
