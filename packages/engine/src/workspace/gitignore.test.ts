import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseRelPath, ROOT } from '../model/path.js';
import { ensureIgnored } from './gitignore.js';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(join(os.tmpdir(), 'sluice-gitignore-'));
  fs.mkdirSync(join(root, 'p/q'), { recursive: true });
  execFileSync('git', ['init', '-q', root]);
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const project = parseRelPath('p');

function ensure(out: string): string | undefined {
  return ensureIgnored(root, project, parseRelPath(out));
}

function gitIgnores(path: string): boolean {
  return spawnSync('git', ['check-ignore', '-q', '--no-index', '--', path], { cwd: root }).status === 0;
}

test('adds one line to the file of the project, once', () => {
  expect(ensure('p/data/raw')).toBe('p/.gitignore');
  expect(ensure('p/data/raw')).toBeUndefined();
  expect(ensure('p/data/raw/inner')).toBeUndefined();
  expect(ensure('p/model')).toBe('p/.gitignore');
  expect(fs.readFileSync(join(root, 'p/.gitignore'), 'utf8')).toBe('/data/raw\n/model\n');
  expect(gitIgnores('p/data/raw')).toBe(true);
  expect(gitIgnores('p/data/raw2')).toBe(false);
});

test('an out outside the project goes to the file of the root', () => {
  expect(ensure('shared/data')).toBe('.gitignore');
  expect(ensureIgnored(root, ROOT, parseRelPath('more'))).toBe('.gitignore');
  expect(fs.readFileSync(join(root, '.gitignore'), 'utf8')).toBe('/shared/data\n/more\n');
});

test('keeps line ends and ends the last line', () => {
  fs.writeFileSync(join(root, 'p/.gitignore'), '# ours\r\ndist');
  ensure('p/a');
  expect(fs.readFileSync(join(root, 'p/.gitignore'), 'utf8')).toBe('# ours\r\ndist\r\n/a\r\n');
  fs.writeFileSync(join(root, 'p/.gitignore'), 'dist');
  ensure('p/a');
  expect(fs.readFileSync(join(root, 'p/.gitignore'), 'utf8')).toBe('dist\n/a\n');
});

test('respects rules that are there, and adds one where they do not reach', () => {
  fs.writeFileSync(join(root, '.gitignore'), '*.csv\nout/\n!p/q/keep.csv\n');
  expect(ensure('p/q/a.csv')).toBeUndefined();
  expect(ensure('p/q/keep.csv')).toBe('p/.gitignore');
  // `out/` speaks of a directory, and the out may become a file.
  expect(ensure('p/out')).toBe('p/.gitignore');
  expect(ensure('p/out/x')).toBeUndefined();
  expect(gitIgnores('p/q/keep.csv')).toBe(true);
});

test.each(['a b ', '#x', '!x', '*', 'x[1]', 'back\\slash', 'q?', 'ümlaut', 'line\nend', ' lead', 'cr\r'])(
  'git understands what is written for the name %j',
  (name) => {
    ensure(`p/${name}`);
    expect(gitIgnores(`p/${name}`)).toBe(true);
    expect(gitIgnores('p/other')).toBe(false);
    expect(ensure(`p/${name}`)).toBeUndefined();
  },
);
