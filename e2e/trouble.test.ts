import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport, VerifyReport } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

/** Waits until the test opens the gate, half of its outs made. */
const GATED = `
import { existsSync, mkdirSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs';
mkdirSync('out');
writeFileSync('out/half.txt', readFileSync('in.txt'));
writeFileSync('../pid', String(process.pid));
appendFileSync('../runs.log', 'ran\\n');
console.log('half way');
while (!existsSync('../gate')) await new Promise((resolve) => setTimeout(resolve, 50));
writeFileSync('out/whole.txt', readFileSync('in.txt'));
`;

async function gatedWorkspace(): Promise<Workspace> {
  const workspace = await createWorkspace({
    '.gitignore': 'node_modules/\n.nx/\ngate\npid\nruns.log\n',
    'p/project.json': {
      name: 'p',
      targets: {
        slow: {
          executor: '@sluice/nx:stage',
          cache: false,
          options: { command: 'node slow.mjs', deps: ['{projectRoot}/in.txt'], outs: ['{projectRoot}/out'] },
        },
      },
    },
    'p/slow.mjs': GATED,
    'p/in.txt': 'first',
    gate: '',
  });
  await workspace.nx('run', 'p:slow');
  workspace.remove('gate');
  workspace.write({ 'p/in.txt': 'second' });
  return workspace;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

story('SIGINT in the middle of a run: the command ends, the old outs are back, nothing is half', async () => {
  w = await gatedWorkspace();
  const before = w.hashes('p/out');
  const lock = w.read('p/sluice-lock.json');
  const running = w.start('nx', 'run', 'p:slow');
  await running.printed('half way');
  const startedMs = performance.now();
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(130);
  // Nx 22 does not wait for its executors.
  while (isAlive(Number(w.read('pid'))) || !w.exists('p/out/whole.txt')) {
    await sleep(50);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  }
  expect(w.hashes('p/out')).toEqual(before);
  expect(w.read('p/sluice-lock.json')).toBe(lock);
  expect(await w.json<StatusReport>('status')).toMatchObject({
    stages: [{ state: 'changed', reasons: [{ kind: 'dep', name: 'p/in.txt' }], outs: [{ workspace: 'present' }] }],
  });
  expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
  w.write({ gate: '' });
  expect(await w.nx('run', 'p:slow')).toContain('ran: dep p/in.txt changed');
  expect(w.read('p/out/whole.txt')).toBe('second');
});

story('a killed run is taken over: its command is ended, its outs are put back, and the stage runs', async () => {
  w = await gatedWorkspace();
  const running = w.start('nx', 'run', 'p:slow');
  await running.printed('half way');
  const orphan = Number(w.read('pid'));
  const executor = Number(
    (await w.run('ps', '-o', 'ppid=', '-p', (await w.run('ps', '-o', 'ppid=', '-p', String(orphan))).stdout.trim()))
      .stdout,
  );
  process.kill(executor, 'SIGKILL');
  running.child.kill('SIGKILL');
  await running.ended;
  expect(isAlive(orphan)).toBe(true);
  w.write({ gate: '' });
  const output = await w.nx('run', 'p:slow');
  expect(output).toContain('took p:slow over from a process that died');
  expect(isAlive(orphan)).toBe(false);
  expect(w.read('p/out/whole.txt')).toBe('second');
  expect(await w.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
});

story('a second run waits for the first, and then has nothing to do', async () => {
  w = await gatedWorkspace();
  w.remove('runs.log');
  const first = w.start('nx', 'run', 'p:slow');
  await first.printed('half way');
  const second = w.start('nx', 'run', 'p:slow');
  await second.printed('waiting for');
  w.write({ gate: '' });
  expect(expectCode(await first.ended, 0, 'first').output).toContain('ran: dep p/in.txt changed');
  expect(expectCode(await second.ended, 0, 'second').output).toMatch(/^unchanged/m);
  expect(w.read('runs.log')).toBe('ran\n');
});

async function failing(options: object, files: Record<string, string> = {}): Promise<string> {
  const target = { executor: '@sluice/nx:stage', cache: false, options };
  w.write({ 'p/project.json': { name: 'p', targets: { make: target } }, ...files });
  return expectCode(await w.try('nx', 'run', 'p:make'), 1, 'nx run p:make').output;
}

story('what goes wrong is told with its code and what to do, and the old outs stay', async () => {
  const good = { command: 'echo good > out.txt', outs: ['{projectRoot}/out.txt'] };
  const target = { executor: '@sluice/nx:stage', cache: false, options: good };
  w = await createWorkspace({ 'p/project.json': { name: 'p', targets: { make: target } } });
  await w.nx('run', 'p:make');

  const failed = await failing({ ...good, command: 'echo bad > out.txt; echo oh no; exit 3' });
  expect(failed).toMatch(/oh no[\s\S]*ERR_COMMAND_FAILED: p:make: the command ended with exit code 3/);
  expect(w.read('p/out.txt')).toBe('good\n');

  expect(await failing({ ...good, command: 'true' })).toMatch(/ERR_OUT_MISSING: p:make: .*p\/out\.txt/);
  expect(w.read('p/out.txt')).toBe('good\n');

  expect(await failing({ ...good, deps: ['{projectRoot}/nothing'] })).toMatch(/ERR_DEP_MISSING: p:make: .*p\/nothing/);
  expect(await failing({ ...good, outs: ['{projectRoot}/a', '{projectRoot}/a/b'] })).toMatch(
    /ERR_STAGE_DEFINITION: .*p:make.*outs\[1\]/,
  );
  expect(await failing({ ...good, params: ['{projectRoot}/params.yaml:lr'] }, { 'p/params.yaml': 'a: 1\n' })).toMatch(
    /ERR_PARAM: .*lr/,
  );
  // Nx itself checks the names of options.
  expect(await failing({ ...good, dep: ['x'] })).toContain("'dep'");

  expect((await w.failure(2, 'status', 'p:nope')).code).toBe('ERR_SELECTOR');
  expect((await w.failure(2, 'explain', 'p:make')).code).toBe('ERR_STAGE_DEFINITION');
  expect((await w.failure(2, 'frobnicate')).code).toBe('ERR_USAGE');
});

story('an out that git tracks is refused, and the command to untrack it is named', async () => {
  w = await createWorkspace({
    'p/project.json': {
      name: 'p',
      targets: { raw: { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/raw'] } } },
    },
    'p/raw/a.txt': 'a',
  });
  const error = await w.failure(2, 'commit');
  expect(error.code).toBe('ERR_OUT_TRACKED_BY_GIT');
  expect(error.hint).toContain('git rm -r --cached');
  await w.git('rm', '-r', '--quiet', '--cached', 'p/raw');
  await w.sluice('commit');
  expect(await w.git('check-ignore', 'p/raw')).toBe('p/raw\n');
});

story('stages of one project that end together are all in its lock', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const targetOf = (name: string): object => ({
    executor: '@sluice/nx:stage',
    cache: false,
    options: { command: `echo ${name} > ${name}.txt`, outs: [`{projectRoot}/${name}.txt`] },
  });
  const targets = Object.fromEntries(names.map((name) => [name, targetOf(name)]));
  w = await createWorkspace({ 'p/project.json': { name: 'p', targets } });
  await w.nx('run-many', '--targets', names.join(','), '--parallel', '6');
  expect(Object.keys(JSON.parse(w.read('p/sluice-lock.json')).stages)).toEqual(names);
  const { stages } = await w.json<StatusReport>('status');
  expect(stages.map(({ target, state }) => [target, state])).toEqual(names.map((name) => [name, 'unchanged']));
});
