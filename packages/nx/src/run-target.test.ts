import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTarget } from './run-target.js';
import { executorContext, type FakeTasks } from './testing/executor-context.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-nx-'));
  mkdirSync(join(root, 'p'));
  writeFileSync(join(root, 'nx.json'), '{}');
  declare({ command: 'echo hi > out', outs: ['{projectRoot}/out'] });
});

afterEach(() => rmSync(root, { recursive: true }));

function declare(options: object): void {
  const targets = { t: { executor: '@sluice/nx:stage', options } };
  writeFileSync(join(root, 'p/project.json'), JSON.stringify({ name: 'p', targets }));
}

/** Runs `p:t` as Nx does; `during` gets the process that the executor runs in. */
async function run(
  options: object,
  env: Record<string, string> = {},
  during?: (host: EventEmitter) => void,
  tasks: FakeTasks = {},
) {
  let output = '';
  const stream = { write: (text: string) => (output += text) };
  const host = Object.assign(new EventEmitter(), {
    stdout: stream,
    stderr: stream,
    env: { PATH: process.env.PATH, CI: 'true', ...env },
  });
  const running = runTarget(options, executorContext(root, 'p:t', tasks), host);
  during?.(host);
  return { ...(await running), output, listeners: host.eventNames() };
}

const options = { command: 'echo hi > out', outs: ['p/out'] };

test('runs, is unchanged, and runs anyway when told to', async () => {
  expect(await run(options)).toMatchObject({
    success: true,
    output: expect.stringMatching(/^running: [^\n]*\nran: [^\n]*\n$/),
  });
  expect(await run(options)).toEqual({ success: true, output: 'unchanged\n', listeners: [] });
  expect(await run(options, { NX_SKIP_NX_CACHE: 'true' })).toMatchObject({
    success: true,
    output: expect.stringContaining('ran: '),
  });
});

test('the options that Nx has merged count, not those of project.json', async () => {
  await run(options);
  const command = 'echo other > out';
  expect((await run({ ...options, command })).output).toContain(`command ${options.command} -> ${command}`);
});

test('a failure is told and is no exception', async () => {
  expect(await run({ ...options, command: 'exit 3' })).toMatchObject({
    success: false,
    output: expect.stringMatching(/\nERR_COMMAND_FAILED: p:t: .*exit code 3.*\n {2}.+\n$/),
    listeners: [],
  });
  expect(await run({ outs: [3] })).toMatchObject({
    success: false,
    output: expect.stringContaining('ERR_STAGE_DEFINITION'),
  });
  rmSync(join(root, 'nx.json'));
  expect(await run(options)).toMatchObject({ success: false, output: expect.stringContaining('ERR_WORKSPACE') });
});

test('a task that is no stage is told when lazy data is not put in place for it', async () => {
  declare({ ...options, materialize: 'lazy' });
  const tasks = { 'p:t': { executor: '@sluice/nx:stage' }, 'p:show': { executor: 'nx:run-commands', needs: ['p:t'] } };
  await run({ ...options, materialize: 'lazy' });
  rmSync(join(root, 'p/out'));
  expect((await run({ ...options, materialize: 'lazy' }, {}, undefined, tasks)).output).toBe(
    'unchanged; p/out left reference-only\n' +
      'p:show is no stage and will not find p/out: remove "materialize": "lazy", or make it a stage\n',
  );
});

test('an interruption ends the command and puts old outs back', async () => {
  await run(options);
  const command = 'echo half > out; sleep 20';
  const result = await run({ ...options, command }, {}, (host) => setTimeout(() => host.emit('SIGINT'), 500));
  expect(result).toMatchObject({ success: false, output: expect.stringContaining('ERR_INTERRUPTED') });
  expect(existsSync(join(root, 'p/out'))).toBe(true);
  expect((await run(options)).output).toBe('unchanged\n');
});
