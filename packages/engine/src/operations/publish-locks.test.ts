import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { type TestRepository, useRepositories } from '../testing/repository.js';
import type { PublishLocksOptions } from './publish-locks.js';

const { temp, create, clone } = useRepositories();

const OPTIONS: PublishLocksOptions = {
  remote: 'origin',
  branch: 'main',
  message: 'Update data locks',
  name: 'bot',
  email: 'bot@example.com',
  env: process.env,
};

const stage = (name: string) => ({
  executor: '@sluice/nx:stage',
  options: { command: `cat ${name}.in > ${name}`, deps: [`{projectRoot}/${name}.in`], outs: [`{projectRoot}/${name}`] },
});

/** A bare repository of git that all push to, and two clones of it: that of a job, and that of somebody else. */
async function twoClones(): Promise<{ readonly job: TestRepository; readonly other: TestRepository }> {
  const first = await create({
    'p/project.json': { name: 'p', targets: { a: stage('a'), b: stage('b') } },
    'p/a.in': 'a',
    'p/b.in': 'b',
    '.gitignore': '/p/a\n/p/b\n.sluice/\n',
  });
  first.commit('Begin');
  execFileSync('git', ['clone', '-q', '--bare', first.root, temp('origin.git')], { stdio: 'pipe' });
  const origin = { ...first, root: temp('origin.git') };
  return { job: await clone(origin, 'job'), other: await clone(origin, 'other') };
}

async function run({ engine }: TestRepository, ...targets: string[]): Promise<void> {
  for (const target of targets)
    await engine.runStage({ id: { project: 'p', target } }, { force: false, wait: true, materialize: true });
  await engine.push({ select: [] });
}

const origin = (...args: string[]): string =>
  execFileSync('git', ['-C', temp('origin.git'), ...args], { encoding: 'utf8' }).trim();
const lockedTargets = (rev = 'main'): string[] =>
  Object.keys(JSON.parse(origin('show', `${rev}:p/sluice-lock.json`)).stages);

test('nothing but lock files is committed, and neither index nor files are touched', async () => {
  const { job } = await twoClones();
  await run(job, 'a');
  job.write({ 'p/a.in': 'a', 'secret.txt': 'x', 'p/staged.txt': 'y' });
  job.git('add', 'p/staged.txt');
  const status = job.git('status', '--porcelain');
  const hook = job.at('.git/hooks/pre-push');
  fs.writeFileSync(hook, '#!/bin/sh\ntouch hooked\n', { mode: 0o755 });
  const published = await job.engine.publishLocks(OPTIONS);
  expect(published).toMatchObject({ branch: 'main', locks: ['p/sluice-lock.json'], left: [], pushes: 1 });
  expect(origin('show', '--format=%an <%ae> %s', '--name-only', 'main')).toBe(
    'bot <bot@example.com> Update data locks\n\np/sluice-lock.json',
  );
  expect(origin('rev-parse', 'main')).toBe(published.commit);
  expect(job.git('status', '--porcelain')).toBe(status);
  expect(fs.existsSync(job.at('hooked'))).toBe(false);
  expect(job.git('for-each-ref', 'refs/sluice')).toBe('');
});

test('if others are faster, the locks go on top of theirs, and nothing of theirs is lost', async () => {
  const { job, other } = await twoClones();
  await run(job, 'a');
  await run(other, 'b');
  other.write({ 'p/new.txt': 'of others' });
  other.commit('Make b');
  other.git('push', '-q', 'origin', 'HEAD:main');
  expect(await job.engine.publishLocks(OPTIONS)).toMatchObject({ pushes: 2, left: [] });
  expect(lockedTargets()).toEqual(['a', 'b']);
  expect(origin('show', 'main:p/new.txt')).toBe('of others');
  expect(origin('rev-list', '--count', 'main')).toBe('3');
  // It is all there now.
  expect(await job.engine.publishLocks(OPTIONS)).toMatchObject({ commit: null, pushes: 1 });
});

test('a checkout without history can do the same', async () => {
  const { other } = await twoClones();
  const origins = { ...other, root: `file://${temp('origin.git')}` };
  const job = await clone(origins, 'shallow', {}, '--depth=1');
  other.commit('Go on');
  other.git('push', '-q', 'origin', 'HEAD:main');
  await run(job, 'a');
  await run(other, 'b');
  other.commit('Make b');
  other.git('push', '-q', 'origin', 'HEAD:main');
  expect(job.git('rev-parse', '--is-shallow-repository')).toBe('true');
  expect(await job.engine.publishLocks(OPTIONS)).toMatchObject({ pushes: 2, left: [] });
  expect(lockedTargets()).toEqual(['a', 'b']);
  expect(origin('rev-list', '--count', 'main')).toBe('4');
});

test('where both changed a stage, what was published first stays', async () => {
  const { job, other } = await twoClones();
  await run(job, 'a', 'b');
  other.write({ 'p/a.in': 'another' });
  await run(other, 'a');
  other.commit('Make a otherwise');
  other.git('push', '-q', 'origin', 'HEAD:main');
  const theirs = JSON.parse(origin('show', 'main:p/sluice-lock.json')).stages.a;
  expect(await job.engine.publishLocks(OPTIONS)).toMatchObject({
    pushes: 2,
    left: [{ lock: 'p/sluice-lock.json', target: 'a', why: 'changed-there' }],
  });
  expect(lockedTargets()).toEqual(['a', 'b']);
  expect(JSON.parse(origin('show', 'main:p/sluice-lock.json')).stages.a).toEqual(theirs);
});

test('a branch that moves each time is given up after five pushes, as others left it', async () => {
  const { job, other } = await twoClones();
  await run(job, 'a');
  other.commit('Go on');
  other.git('push', '-q', 'origin', 'HEAD:main');
  // Whoever pushes to it finds that somebody else was faster.
  fs.writeFileSync(
    temp('origin.git', 'hooks/pre-receive'),
    '#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main $(git commit-tree -p main -m more main^{tree})\n',
    { mode: 0o755 },
  );
  await expect(
    job.engine.publishLocks({ ...OPTIONS, env: { ...process.env, GIT_AUTHOR_NAME: 'x', GIT_AUTHOR_EMAIL: 'x@x' } }),
  ).rejects.toMatchObject({
    code: 'ERR_LOCKS_NOT_PUBLISHED',
    message: expect.stringContaining('others pushed to it each of 5 times'),
  });
  expect(origin('log', '--format=%s', '-1', 'main')).toBe('more');
}, 60_000);

test('a branch that refuses is told of at once; a lock whose data nobody has is not published', async () => {
  const { job } = await twoClones();
  await job.engine.runStage({ id: { project: 'p', target: 'a' } }, { force: false, wait: true, materialize: true });
  await expect(job.engine.publishLocks(OPTIONS)).rejects.toMatchObject({ code: 'ERR_NOT_PUSHED' });
  await job.engine.push({ select: [] });
  fs.writeFileSync(temp('origin.git', 'hooks/pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await expect(job.engine.publishLocks(OPTIONS)).rejects.toMatchObject({
    code: 'ERR_LOCKS_NOT_PUBLISHED',
    message: expect.stringContaining('pre-receive hook declined'),
  });
  expect(origin('rev-list', '--count', 'main')).toBe('1');
});

test('a new branch has one name for one content, and an attempt that is repeated finds it', async () => {
  const { job } = await twoClones();
  await run(job, 'a');
  const first = await job.engine.publishLocks({ ...OPTIONS, newBranch: 'sluice/locks-' });
  expect(first.branch).toMatch(/^sluice\/locks-[0-9a-f]{12}$/);
  expect(origin('rev-list', '--count', 'main')).toBe('1');
  expect(lockedTargets(first.branch)).toEqual(['a']);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const again = await job.engine.publishLocks({ ...OPTIONS, newBranch: 'sluice/locks-' });
  expect(again).toMatchObject({ commit: first.commit, branch: first.branch });
});

test('a stage of which git keeps an out is published when git has that out', async () => {
  const { job } = await twoClones();
  const kept = {
    executor: '@sluice/nx:stage',
    options: { ...stage('b').options, outs: [{ path: '{projectRoot}/b', cache: false }] },
  };
  job.write({ 'p/project.json': { name: 'p', targets: { a: stage('a'), b: kept } }, '.gitignore': '/p/a\n.sluice/\n' });
  await run(job, 'a', 'b');
  const published = await job.engine.publishLocks(OPTIONS);
  expect(published.left).toEqual([{ lock: 'p/sluice-lock.json', target: 'b', why: 'kept-in-git' }]);
  expect(lockedTargets()).toEqual(['a']);
  job.git('add', '.gitignore', 'p/b', 'p/project.json');
  job.git('commit', '-q', '-m', 'Keep b in git');
  expect(await job.engine.publishLocks(OPTIONS)).toMatchObject({ left: [] });
  expect(lockedTargets()).toEqual(['a', 'b']);
});
