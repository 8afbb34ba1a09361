import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { digestOf } from '../model/digest.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
afterEach(() => engine.close());

const BIG = 'b'.repeat(100_000);

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], { cwd: temp('ws'), encoding: 'utf8', stdio: 'pipe' });
}

async function open(env: Record<string, string> = {}): Promise<void> {
  engine = await openEngine({
    root: temp('ws'),
    env: { ...process.env, NX_BASE: '', GITHUB_BASE_REF: '', ...env },
    threads: 0,
  });
}

/** A committed dataset of three files, one of them large enough to be linked to the store. */
async function dataset(mutability: string): Promise<void> {
  write('nx.json', '{}');
  const outs = [{ path: '{projectRoot}/raw', mutability }];
  write(
    'p/project.json',
    JSON.stringify({ name: 'p', targets: { raw: { executor: '@sluice/nx:track', options: { outs } } } }),
  );
  for (const [path, content] of [
    ['a', '1'],
    ['d/b', '2'],
    ['big', BIG],
  ] as const)
    write(`p/raw/${path}`, content);
  await open();
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
  await engine.commit({ select: [] });
}

const commit = (): Promise<unknown> => engine.commit({ select: ['p:raw'] });

describe('a strict out', () => {
  test('refuses every change and names the files', async () => {
    await dataset('strict');
    await commit();
    write('p/raw/a', 'other');
    write('p/raw/new', '3');
    await expect(commit()).rejects.toMatchObject({
      code: 'ERR_OUT_MODIFIED',
      exitCode: 4,
      message: 'p:raw: p/raw was changed, and its mutability is strict (a, new)',
    });
    await engine.checkout({ select: [], force: true });
    expect(fs.readFileSync(temp('ws', 'p/raw/a'), 'utf8')).toBe('1');
    await commit();
  });

  test('is read-only and linked, until a file is unlocked', async () => {
    await dataset('strict');
    fs.rmSync(temp('ws', 'p/raw'), { recursive: true });
    await engine.checkout({ select: [] });
    const stat = (name: string): fs.Stats => fs.statSync(temp('ws', 'p/raw', name));
    expect([stat('big').mode & 0o222, stat('big').nlink, stat('a').mode & 0o222]).toEqual([0, 2, 0]);

    expect(await engine.unlock({ paths: ['p/raw/big', 'p/raw/a'] })).toEqual({
      unlocked: ['p/raw/big', 'p/raw/a'],
      unchanged: [],
      bytes: BIG.length + 1,
    });
    expect([stat('big').mode & 0o200, stat('big').nlink, stat('d/b').mode & 0o222]).toEqual([0o200, 1, 0]);
    expect(fs.readFileSync(temp('ws', 'p/raw/big'), 'utf8')).toBe(BIG);
    expect((await engine.status({ select: [] })).stages).toMatchObject([{ state: 'unchanged' }]);
    fs.appendFileSync(temp('ws', 'p/raw/big'), 'more');
    expect((await engine.verify({ deep: true })).findings.filter(({ where }) => where === 'store')).toEqual([]);
    expect(await engine.unlock({ paths: ['p/raw/big'] })).toMatchObject({ unlocked: [], unchanged: ['p/raw/big'] });
    await expect(commit()).rejects.toMatchObject({ exitCode: 4 });
  });

  test('keeps the executable bit of what is unlocked, and takes no leftover for data', async () => {
    await dataset('strict');
    fs.chmodSync(temp('ws', 'p/raw/a'), 0o555);
    // What a process leaves that is killed before the rename.
    const copy = `.sluice/unlock/${digestOf('p/raw/a').slice('sha256:'.length)}`;
    write(copy, 'half of it');
    fs.chmodSync(temp('ws', copy), 0o444);
    await engine.unlock({ paths: ['p/raw/a'] });
    expect(fs.readdirSync(temp('ws', '.sluice/unlock'))).toEqual([]);
    expect(fs.readFileSync(temp('ws', 'p/raw/a'), 'utf8')).toBe('1');
    expect(fs.statSync(temp('ws', 'p/raw/a')).mode & 0o777).toBe(0o755);
    expect(fs.readdirSync(temp('ws', 'p/raw')).sort()).toEqual(['a', 'big', 'd']);
  });
});

test('only plain files of outs are unlocked', async () => {
  await dataset('flexible');
  fs.symlinkSync('a', temp('ws', 'p/raw/link'));
  const unlock = (path: string): Promise<unknown> => engine.unlock({ paths: ['p/raw/a', path] });
  await expect(unlock('p/project.json')).rejects.toMatchObject({ code: 'ERR_SELECTOR' });
  await expect(unlock('../elsewhere')).rejects.toMatchObject({ code: 'ERR_SELECTOR' });
  await expect(unlock('p/raw/gone')).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
  await expect(unlock('p/raw/d')).rejects.toMatchObject({ code: 'ERR_FILE_KIND' });
  await expect(unlock('p/raw/link')).rejects.toMatchObject({ code: 'ERR_FILE_KIND' });
  expect(await engine.unlock({ paths: ['p/raw/a'] })).toMatchObject({ unchanged: ['p/raw/a'] });
});

describe('an append-only out', () => {
  test('takes new files, and none that changed or went', async () => {
    await dataset('append-only');
    write('p/raw/new/c', '3');
    await commit();
    write('p/raw/a', 'other');
    await expect(commit()).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED', message: expect.stringContaining('(a)') });
    fs.rmSync(temp('ws', 'p/raw/a'));
    await expect(commit()).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
    write('p/raw/a', '1');
    fs.chmodSync(temp('ws', 'p/raw/a'), 0o755);
    await expect(commit()).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
    await expect(engine.unlock({ paths: ['p/raw/a'] })).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  });

  test('is compared with trees of the remote where they are not here', async () => {
    await dataset('append-only');
    await engine.push({ select: [] });
    await engine.close();
    fs.rmSync(temp('ws', '.sluice'), { recursive: true });
    await open();
    write('p/raw/a', 'other');
    await expect(commit()).rejects.toMatchObject({ message: expect.stringContaining('(a)') });
    write('p/raw/a', '1');
    write('p/raw/new', '3');
    await commit();
  });

  test('refuses a run that takes something away, and puts the old data back', async () => {
    write('nx.json', '{}');
    const options = {
      command: 'mkdir log && cp in/* log',
      deps: ['{projectRoot}/in'],
      outs: [{ path: '{projectRoot}/log', mutability: 'append-only' }],
    };
    write('p/project.json', JSON.stringify({ name: 'p', targets: { log: { executor: '@sluice/nx:stage', options } } }));
    await open();
    const run = () =>
      engine.runStage({ id: { project: 'p', target: 'log' } }, { force: false, wait: true, materialize: true });
    write('p/in/1', 'a');
    await run();
    write('p/in/2', 'b');
    expect(await run()).toMatchObject({ outcome: 'ran' });
    write('p/in/1', 'other');
    await expect(run()).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED', message: expect.stringContaining('(1)') });
    expect(fs.readFileSync(temp('ws', 'p/log/1'), 'utf8')).toBe('a');
  });
});

describe('verify --append-only', () => {
  const names = async (base?: string): Promise<string[]> => {
    const { findings } = await engine.verifyAppendOnly({ select: [], ...(base === undefined ? {} : { base }) });
    return findings.map(({ name, problem }) => `${name}: ${problem.message.replace(/[0-9a-f]{12}/, 'BASE')}`);
  };

  /** Data is declared as append-only on main, and changed on a branch where it was not yet. */
  async function branch(change: () => void): Promise<void> {
    await dataset('append-only');
    await engine.push({ select: [] });
    git('init', '--quiet');
    git('add', '-A');
    git('commit', '--quiet', '-m', 'main');
    git('switch', '--quiet', '--create', 'feature');
    const declared = fs.readFileSync(temp('ws', 'p/project.json'), 'utf8');
    write('p/project.json', declared.replace('append-only', 'flexible'));
    change();
    await engine.commit({ select: [] });
    await engine.push({ select: [] });
    write('p/project.json', declared);
    git('commit', '--quiet', '-a', '-m', 'feature');
    // A fresh clone has no data.
    await engine.close();
    for (const name of ['.sluice', 'p/raw']) fs.rmSync(temp('ws', name), { recursive: true });
    await open();
  }

  test('names what is not as the base has it, without any data', async () => {
    await branch(() => {
      write('p/raw/a', 'other');
      write('p/raw/new', '3');
      fs.rmSync(temp('ws', 'p/raw/d'), { recursive: true });
    });
    expect(await names('main')).toEqual([
      'p:raw p/raw/a: was changed since BASE, and its mutability is append-only',
      'p:raw p/raw/d: was removed since BASE, and its mutability is append-only',
    ]);
    expect(await engine.storeStat()).toMatchObject({ blobs: 0 });
    fs.rmSync(temp('ws', 'p/sluice-lock.json'));
    expect(await names('main')).toEqual(['p:raw p/raw: was removed since BASE, and its mutability is append-only']);
    await expect(names()).rejects.toMatchObject({ code: 'ERR_REVISION' });
    await engine.close();
    await open({ NX_BASE: 'main' });
    expect(await names()).toHaveLength(1);
  });

  test('finds nothing where files were only added, and main went on meanwhile', async () => {
    await branch(() => write('p/raw/new', '3'));
    git('switch', '--quiet', 'main');
    git('commit', '--quiet', '--allow-empty', '-m', 'more');
    git('update-ref', 'refs/remotes/origin/main', 'main');
    git('switch', '--quiet', 'feature');
    expect(await names()).toEqual([]);
    expect((await engine.verifyAppendOnly({ select: [] })).checked.files).toBe(3);
  });

  test('a history that is cut off is told', async () => {
    await branch(() => write('p/raw/new', '3'));
    git('clone', '--quiet', '--depth', '1', '--no-single-branch', `file://${temp('ws')}`, temp('clone'));
    await engine.close();
    engine = await openEngine({ root: temp('clone'), env: process.env, threads: 0 });
    await expect(engine.verifyAppendOnly({ select: [], base: 'origin/main' })).rejects.toMatchObject({
      code: 'ERR_SHALLOW_CLONE',
    });
  });
});
