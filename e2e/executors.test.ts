import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
beforeAll(async () => {
  const ours = (name: string, options: object = {}, rest: object = {}): object => ({
    executor: `@sluice/nx:${name}`,
    options,
    ...rest,
  });
  w = await createWorkspace({
    'sluice.json': { defaultRemote: 'backup', remotes: { backup: { url: 'file:../remote' } } },
    'data/project.json': {
      name: 'data',
      targets: {
        raw: ours('track', { outs: ['{projectRoot}/raw'] }),
        push: ours('push', {}, { dependsOn: ['raw'], configurations: { history: { allCommits: true } } }),
        pull: ours('pull'),
        status: ours('status', { exitCode: true }),
        checkout: ours('checkout'),
        gc: ours('gc', { allBranches: true }),
        'gc-backup': ours('gc', { remote: 'backup' }),
      },
    },
    'tools/project.json': { name: 'tools', targets: { status: ours('status'), all: ours('status', { select: [] }) } },
  });
  w.write({ 'data/raw/a.txt': 'first\n' });
}, 120_000);
afterAll(() => w?.delete());

story('status says what is new, and fails where it is asked to', async () => {
  const ended = await w.try('nx', 'run', 'data:status');
  expect(ended).toMatchObject({ code: 1, output: expect.stringMatching(/data:raw +new/) });
  expect(ended.output).not.toContain('ERR_');
  expect(await w.nx('run', 'tools:all')).toMatch(/data:raw +new/);
});

story('push runs what it depends on, and sends the data', async () => {
  const output = await w.nx('run', 'data:push', '--verbose');
  expect(output).toMatch(/^pushed 1 file \(6 B\) to backup in /m);
  await w.commitAll('First');
  expect(await w.nx('run', 'data:push:history')).toMatch(/^pushed 0 files .*1 file there already/m);
  expect(await w.nx('run', 'data:status', '--remote')).toMatch(/backup complete/);
});

story('pull brings everything into a clone', async () => {
  const clone = await w.clone('clone');
  expect(await clone.nx('run', 'data:pull')).toMatch(/^received 1 file .*wrote 1 file/m);
  expect(clone.read('data/raw/a.txt')).toBe('first\n');
});

story('checkout goes back to a revision, and gc keeps what a branch names', async () => {
  w.write({ 'data/raw/a.txt': 'second\n' });
  await w.nx('run', 'data:push');
  await w.commitAll('Second');
  expect(await w.nx('run', 'data:checkout', '--rev=HEAD~1')).toMatch(/^wrote 1 file/m);
  expect(w.read('data/raw/a.txt')).toBe('first\n');
  expect(await w.nx('run', 'data:checkout')).toMatch(/^wrote 1 file/m);
  expect(await w.nx('run', 'data:gc', '--dry-run')).toMatch(/^would remove 2 objects \(6 B\), kept 2 objects/m);
  expect(await w.nx('run', 'data:gc', '--recordsDays=14')).toMatch(/^removed 0 objects .*kept 4 objects/m);
});

story('gc collects a remote where one is named, and leaves the store alone', async () => {
  expect(await w.nx('run', 'data:gc-backup', '--dryRun')).toMatch(/^would remove 0 objects \(0 B\) from backup; /m);
  expect(await w.nx('run', 'data:gc-backup', '--graceDays=7')).toMatch(/^removed 0 objects \(0 B\) from backup; /m);
  expect(await w.try('nx', 'run', 'data:gc', '--graceDays=7')).toMatchObject({
    code: 1,
    output: expect.stringContaining('ERR_USAGE: graceDays and foreignDays are about a remote'),
  });
});

story('what cannot be done is told with its code', async () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const ended = await w.try('nx', 'run', ...args);
    expect(ended.code).toBe(1);
    return ended.output;
  };
  expect(await wrong('tools:status')).toContain('ERR_SELECTOR: project tools has no stages');
  expect(await wrong('data:push', '--remote=nowhere')).toMatch(/ERR_\w+: .*nowhere/);
  expect(await wrong('data:pull', '--typo')).toContain('SchemaError');
});
