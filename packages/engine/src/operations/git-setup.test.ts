import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { useTempDir } from '../testing/temp-dir.js';
import { installMergeDriver, missingDriverSettings } from './git-setup.js';

const temp = useTempDir();

/** A repository whose workspace lies in a directory with an odd name, and a `sluice` that notes how it was called and takes their side. */
function repository(): string {
  const root = temp("sub dir's");
  fs.mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  const script = '#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/called"\ncp "$6" "$5"\n';
  fs.writeFileSync(join(root, 'node_modules/.bin/sluice'), script, { mode: 0o755 });
  write('.gitattributes', 'sluice-lock.json merge=sluice-lock\n');
  write("sub dir's/my project/sluice-lock.json", 'base\n');
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '-A');
  git('commit', '--quiet', '-m', 'base');
  for (const branch of ['theirs', 'ours']) {
    git('switch', '--quiet', '--create', branch, 'main');
    write("sub dir's/my project/sluice-lock.json", `${branch}\n`);
    git('commit', '--quiet', '-a', '-m', branch);
  }
  return root;
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(temp(path)), { recursive: true });
  fs.writeFileSync(temp(path), text);
}

const IDENTITY = ['-c', 'user.name=n', '-c', 'user.email=e@x'];

function git(...args: string[]): string {
  return execFileSync('git', [...IDENTITY, ...args], { cwd: temp(), encoding: 'utf8', stdio: 'pipe' });
}

test('git calls the sluice of a workspace below its top, with absolute paths', async () => {
  const root = repository();
  expect((await missingDriverSettings(root)).map(({ key }) => key)).toEqual([
    'merge.sluice-lock.name',
    'merge.sluice-lock.driver',
    'merge.sluice-lock.recursive',
  ]);
  expect(await installMergeDriver(root)).toBe(true);
  expect(await installMergeDriver(root)).toBe(false);
  git('merge', '--quiet', '--no-edit', 'theirs');
  const lock = "sub dir's/my project/sluice-lock.json";
  expect(fs.readFileSync(temp(lock), 'utf8')).toBe('theirs\n');
  const called = fs.readFileSync(join(root, 'node_modules/.bin/called'), 'utf8').trimEnd().split('\n');
  expect(called.slice(0, 3)).toEqual(['--cwd', "sub dir's/", 'merge-driver']);
  expect(called.at(-1)).toBe(temp(lock));
  expect(called.slice(3).every((path) => path.startsWith('/'))).toBe(true);
});

test('where the driver fails git merges lines', async () => {
  const root = repository();
  await installMergeDriver(root);
  fs.writeFileSync(join(root, 'node_modules/.bin/sluice'), '#!/bin/sh\nexit 2\n');
  expect(spawnSync('git', [...IDENTITY, 'merge', 'theirs'], { cwd: temp() }).status).toBe(1);
  expect(fs.readFileSync(join(root, 'my project/sluice-lock.json'), 'utf8')).toMatch(/^<{7} ours/);
});

test('without packages git merges lines, and outside of a repository nothing is done', async () => {
  const root = repository();
  await installMergeDriver(root);
  fs.rmSync(join(root, 'node_modules'), { recursive: true });
  const env = { ...process.env, PATH: '/usr/bin:/bin' };
  expect(spawnSync('git', [...IDENTITY, 'merge', 'theirs'], { cwd: temp(), env }).status).toBe(1);
  expect(fs.readFileSync(join(root, 'my project/sluice-lock.json'), 'utf8')).toMatch(
    /^<{7} ours\nours\n={7}\ntheirs\n>{7} theirs\n$/,
  );
  fs.rmSync(temp('.git'), { recursive: true });
  expect(await installMergeDriver(root)).toBe(false);
});
