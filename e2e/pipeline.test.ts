import type { StatusReport } from '@sluice/engine';
import { PIPELINE, pipelineProject, pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

let w: Workspace;
beforeAll(async () => {
  w = await pipelineWorkspace();
  await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual(['upper', 'count', 'report']);
  await w.commitAll('First results');
}, 120_000);
afterAll(() => w?.delete());

/** Brings everything back to the first results. */
async function reset(): Promise<void> {
  await w.git('checkout', '--quiet', 'HEAD', '--', '.');
  await w.sluice('checkout', '--force');
  takeRuns(w);
}

function lines(output: string, pattern: RegExp): string[] {
  return output.split('\n').filter((line) => pattern.test(line));
}

story('nothing runs twice, and git has nothing to say', async () => {
  const output = await w.nx('run', 'p:report');
  expect(lines(output, /^unchanged/)).toHaveLength(3);
  expect(takeRuns(w)).toEqual([]);
  expect(await w.git('status', '--porcelain')).toBe('');
});

story('what is no dep, and comments in a file of params, run nothing', async () => {
  w.write({ 'p/README.md': 'Not declared.\n', 'p/params.yaml': `# A comment.\n${w.read('p/params.yaml')}` });
  w.write({ 'p/params.yaml': w.read('p/params.yaml').replace('other: 1', 'other: 2') });
  await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual([]);
  await reset();
});

story('a param runs what depends on it, and says which value it had', async () => {
  w.write({ 'p/params.yaml': w.read('p/params.yaml').replace('bytes', 'letters') });
  const output = await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual(['count']);
  expect(output).toContain('ran: p/params.yaml:count.unit "bytes" -> "letters"; made 2 files');
  await reset();
});

story('inputs that change without changing the outs do not wake the consumers', async () => {
  w.write({ 'p/in.txt': 'HELLO\n' });
  await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual(['upper']);
  w.write({ 'p/in.txt': 'hello there\n' });
  await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual(['upper', 'count', 'report']);

  // Back again: every result is known.
  await w.git('checkout', '--quiet', 'HEAD', '--', 'p/in.txt');
  const output = await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual([]);
  expect(lines(output, /^restored .* from store in/)).not.toHaveLength(0);
  expect(w.read('p/report.txt').trim()).toBe('6');
  await reset();
});

story('an environment variable counts, and its value is not told', async () => {
  const other = { ...w.env, SEED: 'secret-7' };
  const output = (await w.with(other).run('nx', 'run', 'p:report')).output;
  expect(takeRuns(w)).toEqual(['count', 'report']);
  expect(output).toMatch(/ran: env SEED/);
  expect(output + w.read('p/sluice-lock.json')).not.toContain('secret-7');
  await reset();
});

const { count, report } = PIPELINE;

for (const [what, changes, reason] of [
  ['dep', { count: { deps: [count.deps[0]] } }, { kind: 'dep', name: 'p/notes.md' }],
  ['param', { count: { params: [] } }, { kind: 'param', name: 'p/params.yaml:count.unit' }],
  ['env name', { count: { env: [] } }, { kind: 'env', name: 'SEED' }],
  ['out', { report: { outs: [report.outs[0]] } }, { kind: 'out', name: 'p/metrics.json' }],
] as const) {
  story(`a removed ${what} is a change`, async () => {
    w.write(pipelineProject(changes));
    const { stages } = await w.json<StatusReport>('status');
    const changed = stages.filter(({ state }) => state !== 'unchanged');
    expect(changed).toEqual([
      expect.objectContaining({
        target: Object.keys(changes)[0],
        state: 'changed',
        reasons: [expect.objectContaining({ ...reason, after: null, before: expect.any(String) })],
      }),
    ]);
    await reset();
  });
}

story('--skip-nx-cache runs everything', async () => {
  const output = await w.nx('run', 'p:report', '--skip-nx-cache');
  expect(takeRuns(w)).toEqual(['upper', 'count', 'report']);
  expect(lines(output, /^ran: asked to run anyway/)).toHaveLength(3);
  await reset();
});

story('data moves only when somebody reads it', async () => {
  for (const out of ['p/upper.txt', 'p/counted', 'p/report.txt']) w.remove(out);
  const output = await w.nx('run', 'p:report');
  expect(lines(output, /^unchanged/)).toHaveLength(2);
  expect(lines(output, /^restored 1 file/)).toHaveLength(1);
  expect([w.exists('p/upper.txt'), w.exists('p/counted'), w.exists('p/report.txt')]).toEqual([false, false, true]);

  // The last stage runs: it gets what it reads, and nothing that only others read.
  w.write({ 'p/params.yaml': w.read('p/params.yaml').replace('none', 'some') });
  await w.nx('run', 'p:report');
  expect(takeRuns(w)).toEqual(['report']);
  expect([w.exists('p/upper.txt'), w.exists('p/counted')]).toEqual([false, true]);
  await reset();
});

story('a task that is not a stage finds the files of the one before it', async () => {
  const project = JSON.parse(w.read('p/project.json'));
  project.targets.show = { executor: 'nx:run-commands', dependsOn: ['upper'], options: { command: 'cat p/upper.txt' } };
  w.write({ 'p/project.json': project });
  w.remove('p/upper.txt');
  expect(await w.nx('run', 'p:show')).toContain('HELLO');
  await reset();
});
