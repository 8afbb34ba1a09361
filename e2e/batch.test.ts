import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

interface LastRun {
  readonly totals: Readonly<Record<'unchanged' | 'restored' | 'ran' | 'failed' | 'receivedBytes', number>>;
  readonly stages: readonly { readonly target: string; readonly outcome: string }[];
}

const NX_JSON = {
  useDaemonProcess: false,
  analytics: false,
  neverConnectToCloud: true,
  plugins: ['@sluice/nx'],
};
const stage = (options: object, rest: object = {}): object => ({ executor: '@sluice/nx:stage', options, ...rest });
const lastRun = (workspace: Workspace): LastRun => JSON.parse(workspace.read('.sluice/last-run.json'));

story('a chain of 100 stages whose first one changes but not what it makes: 99 do not run', async () => {
  const targets: Record<string, object> = {
    s0: stage({ command: 'sort in.txt > 0.txt', deps: ['{projectRoot}/in.txt'], outs: ['{projectRoot}/0.txt'] }),
  };
  for (let i = 1; i < 100; i++) {
    const options = { command: `cp ${i - 1}.txt ${i}.txt`, deps: [`p/${i - 1}.txt`], outs: [`p/${i}.txt`] };
    targets[`s${i}`] = stage(options);
  }
  w = await createWorkspace({
    'nx.json': NX_JSON,
    'p/project.json': { name: 'p', targets },
    'p/in.txt': 'b\na\n',
  });
  const run = async (): Promise<LastRun['totals']> => {
    await w.nx('run-many', '-t', 's99', '--batch');
    return lastRun(w).totals;
  };
  expect(await run()).toMatchObject({ ran: 100, unchanged: 0 });
  expect(await run()).toMatchObject({ ran: 0, unchanged: 100 });
  w.write({ 'p/in.txt': 'a\nb\n' });
  expect(await run()).toMatchObject({ ran: 1, unchanged: 99 });
  expect(w.read('p/99.txt')).toBe('a\nb\n');
  const told = (text: string): number => text.split('\n').filter((line) => line.trim() === 'unchanged').length;
  expect(told(await w.nx('run-many', '-t', 's9', '--batch', '--output-style=static'))).toBe(0);
  expect(told(await w.nx('run-many', '-t', 's9', '--batch', '--output-style=static', '--verbose'))).toBe(10);
});

story('one stage of a batch fails: those behind it do not run, all others do', async () => {
  const three = (command: string): object => ({
    name: 'p',
    targets: {
      bad: stage({ command: `echo "$GREETING" && ${command}`, outs: ['{projectRoot}/bad.txt'] }),
      behind: stage({ command: 'cp bad.txt behind.txt', deps: ['p/bad.txt'], outs: ['{projectRoot}/behind.txt'] }),
      good: stage({ command: 'echo good > good.txt', outs: ['{projectRoot}/good.txt'] }),
    },
  });
  w = await createWorkspace({
    'nx.json': NX_JSON,
    'p/project.json': three('echo half > bad.txt; exit 3'),
    'p/.env': 'GREETING=hello from .env\n',
  });
  const failed = await w.try('nx', 'run-many', '-t', 'behind', 'good', '--batch', '--output-style=static');
  // Nx 23.3 says 130 whenever a task did not run because of one that failed, in a batch or not.
  expect([1, 130]).toContain(failed.code);
  expect(failed.output).toContain('hello from .env');
  expect(failed.output).toContain('ERR_COMMAND_FAILED');
  expect([w.exists('p/bad.txt'), w.exists('p/behind.txt'), w.read('p/good.txt')]).toEqual([false, false, 'good\n']);
  w.write({ 'p/project.json': three('echo whole > bad.txt') });
  await w.nx('run-many', '-t', 'behind', 'good', '--batch');
  expect(w.read('p/behind.txt')).toBe('whole\n');
  expect(lastRun(w).totals).toMatchObject({ ran: 2, unchanged: 1, failed: 0 });
});

/** Five stages, each with an out of its own size; only the last one has a param. */
function pipeline(): object {
  const make = (name: string, bytes: number, dep: string, params: string[] = []): object =>
    stage({
      command: `cat ${dep} | head -c 1 > /dev/null; head -c ${bytes} /dev/urandom > ${name}.bin`,
      deps: [`p/${dep}`],
      params,
      outs: [`p/${name}.bin`],
    });
  return {
    name: 'p',
    targets: {
      first: make('first', 400_000, 'in.txt'),
      second: make('second', 300_000, 'first.bin'),
      third: make('third', 200_000, 'second.bin'),
      fourth: make('fourth', 100_000, 'third.bin'),
      fifth: make('fifth', 50_000, 'fourth.bin', ['p/params.yaml:fifth']),
    },
  };
}

story(
  'a fresh clone in which only the last of five stages changed gets the bytes of its deps and no others',
  async () => {
    w = await createWorkspace({
      'nx.json': NX_JSON,
      'p/project.json': pipeline(),
      'p/in.txt': 'in\n',
      'p/params.yaml': 'fifth: 1\n',
    });
    await w.sluice('init', '--remote', 'file:../remote');
    await w.nx('run', 'p:fifth');
    await w.sluice('push');
    await w.commitAll('Five stages');
    for (const [name, args] of [
      ['single', ['run', 'p:fifth']],
      ['batch', ['run-many', '-t', 'fifth', '--batch']],
    ] as const) {
      const clone = await w.clone(name);
      clone.write({
        'p/params.yaml': `fifth: ${name}\n`,
        'sluice.local.json': { remotes: { origin: { url: 'file:../remote' } } },
      });
      await clone.nx(...args);
      const { totals, stages } = lastRun(clone);
      expect(totals).toMatchObject({ ran: 1, unchanged: 4, receivedBytes: 100_000 });
      expect(stages.find(({ outcome }) => outcome === 'ran')?.target).toBe('fifth');
      const outs = ['first', 'second', 'third', 'fourth', 'fifth'];
      expect(outs.filter((out) => clone.exists(`p/${out}.bin`))).toEqual(['fourth', 'fifth']);
    }
  },
);

story('a configuration, with the daemon of Nx and without, and on a terminal', async () => {
  w = await createWorkspace({
    'nx.json': { ...NX_JSON, useDaemonProcess: true },
    'p/project.json': {
      name: 'p',
      targets: {
        say: stage(
          { command: 'echo quiet > said.txt', outs: ['{projectRoot}/said.txt'] },
          { configurations: { loud: { command: 'echo LOUD > said.txt' } } },
        ),
      },
    },
  });
  await w.nx('run', 'p:say:loud');
  expect(w.read('p/said.txt')).toBe('LOUD\n');
  const daemon = w.with({ ...w.env, NX_DAEMON: 'true', CI: 'false' });
  try {
    expect(await daemon.nx('run', 'p:say')).toContain('Successfully ran target say');
    expect(w.read('p/said.txt')).toBe('quiet\n');
    expect(await daemon.nx('run', 'p:say')).toContain('unchanged');
    // The daemon sums up, and has no terminal.
    const onTerminal = terminalCommand(w.path('node_modules/.bin/nx'), 'run-many', '-t', 'say');
    expect((await daemon.try('script', ...onTerminal)).output).toContain('Sluice: 1 stage: 1 unchanged');
  } finally {
    await daemon.try('nx', 'daemon', '--stop');
  }
  const onTerminal = terminalCommand(w.path('node_modules/.bin/nx'), 'run', 'p:say');
  for (const tui of ['false', 'true']) {
    const terminal = w.with({ ...w.env, NX_TUI: tui, CI: 'false', TERM: 'xterm-256color' });
    const ended = await terminal.try('script', ...onTerminal);
    expect([tui, ended.code, ended.output.includes('unchanged')]).toEqual([tui, 0, true]);
  }
});

/** What `script` needs to run a command on a terminal of its own and to end with its exit code. */
function terminalCommand(...command: readonly string[]): readonly string[] {
  if (process.platform === 'darwin') return ['-q', '/dev/null', ...command];
  return ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'];
}
