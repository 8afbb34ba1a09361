import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@sluice/engine';
import { executorContext } from '../testing/executor-context.js';
import { gc } from './gc.js';
import { runOperation } from './operation.js';
import type { GcOptions } from './options.js';

let base: string;
let root: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sluice-nx-gc-'));
  root = join(base, 'ws');
  mkdirSync(join(root, 'p'), { recursive: true });
  write('nx.json', '{}');
  write('sluice.json', JSON.stringify({ defaultRemote: 'shelf', remotes: { shelf: { url: 'file:../shelf' } } }));
  const data = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
  write('p/project.json', JSON.stringify({ name: 'p', targets: { data } }));
  git('init', '-q', '-b', 'main');
});
afterEach(() => rmSync(base, { recursive: true }));

function write(path: string, content: string): void {
  writeFileSync(join(root, path), content);
}

function git(...args: string[]): void {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd: root, stdio: 'ignore' });
}

/** A version of the data on the remote, in a commit of its own: no tip names the one before. */
async function version(content: string): Promise<void> {
  write('p/data', content);
  const engine = await openEngine({ root, env: process.env, threads: 0 });
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  await engine.close();
  git('add', '-A');
  git('commit', '-q', '-m', content);
}

const stored = (): unknown[] => readdirSync(join(root, '.sluice/objects'), { recursive: true }).sort();

async function collect(options: GcOptions): Promise<{ success: boolean; output: string }> {
  let output = '';
  const stream = { write: (text: string) => (output += text) };
  const host = Object.assign(new EventEmitter(), {
    stdout: stream,
    stderr: stream,
    env: { PATH: process.env.PATH, CI: 'true' },
  });
  const { success } = await runOperation(gc, options, executorContext(root, 'p:gc'), host);
  return { success, output };
}

test('a remote is collected by days, and the store keeps what it has', async () => {
  await version('first');
  await version('second');
  const objects = stored();
  // What was pushed within the grace period stays.
  const kept = { success: true, output: 'would remove 0 objects (0 B) from shelf; 2 kept (11 B)\n' };
  expect(await collect({ remote: 'shelf', dryRun: true })).toEqual(kept);
  expect(await collect({ remote: 'shelf', dryRun: true, graceDays: 7 })).toEqual(kept);
  expect((await collect({ remote: 'shelf', dryRun: true, graceDays: 0 })).output).toMatch(
    /^would condemn 1 object \(5 B\)/m,
  );
  expect((await collect({ remote: 'shelf', graceDays: 0 })).output).toMatch(/^removed 1 object \(5 B\) from shelf/m);
  expect((await collect({ remote: 'shelf', graceDays: 0 })).output).toMatch(/^removed 0 objects/m);
  expect(stored()).toEqual(objects);
  expect(objects.length).toBeGreaterThan(1);
});

test('what no commit names is given up when it is asked for', async () => {
  await version('first');
  git('checkout', '-q', '--orphan', 'other');
  write('p/data', 'lost');
  const engine = await openEngine({ root, env: process.env, threads: 0 });
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  await engine.close();
  git('checkout', '-qf', 'main');
  expect((await collect({ remote: 'shelf', graceDays: 0 })).output).toContain('--foreignDays=90 gives up');
  expect((await collect({ remote: 'shelf', graceDays: 0, foreignDays: 0 })).output).toMatch(/removed 1 object/);
});

test('options of the one collection are refused with the other', async () => {
  const refused = (option: RegExp) => ({ success: false, output: expect.stringMatching(option) });
  expect(await collect({ remote: 'shelf', allowUnpushed: true })).toEqual(refused(/^ERR_USAGE: allowUnpushed /));
  expect(await collect({ graceDays: 2 })).toEqual(refused(/^ERR_USAGE: graceDays /));
  expect(await collect({ remote: 'nowhere' })).toEqual(refused(/^ERR_\w+: .*nowhere/));
  // Nx fills in the defaults of the schema.
  expect(await collect({ remote: 'shelf', allowUnpushed: false, dryRun: true })).toMatchObject({ success: true });
});
