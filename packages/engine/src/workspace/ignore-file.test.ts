import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { parseRelPath, ROOT } from '../model/path.js';
import { loadIgnore } from './ignore-file.js';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(join(os.tmpdir(), 'sluice-ignore-'));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true });
  fs.writeFileSync(join(root, path), text);
}

test('there is nothing to ask where there are no files', () => {
  expect(loadIgnore(root, parseRelPath('a/b'))).toBeUndefined();
  expect(loadIgnore(root, ROOT)).toBeUndefined();
});

test('rules from the root down to the walked directory, each relative to its own', () => {
  write('.sluiceignore', '# rules\n*.tmp\n/p/data/cache\nlogs/\n');
  write('p/.sluiceignore', '!keep.tmp\n/data/only-here\n');
  write('p/data/.sluiceignore', 'deep/*.bin\r\n');
  write('p/data/sub/.sluiceignore', '*\n');
  const ignored = loadIgnore(root, parseRelPath('p/data'));
  const answers = (paths: string[]): string[] =>
    paths.filter((path) => ignored?.(path.replace(/\/$/, ''), path.endsWith('/')));
  expect(
    answers([
      'a.tmp',
      'x/a.tmp',
      'keep.tmp',
      'cache/',
      'x/cache/',
      'logs',
      'logs/',
      'only-here',
      'x/only-here',
      'deep/a.bin',
      'x/deep/a.bin',
      'sub/a',
    ]),
  ).toEqual(['a.tmp', 'x/a.tmp', 'cache/', 'logs/', 'only-here', 'deep/a.bin']);
});

test('what is declared is walked, whatever the rules say about it and what holds it', () => {
  write('.sluiceignore', 'data/\nraw\n*.log\n');
  const ignored = loadIgnore(root, parseRelPath('p/data/raw'));
  expect(ignored?.('a.csv', false)).toBe(false);
  expect(ignored?.('a.log', false)).toBe(true);
  expect(ignored?.('sub/raw', true)).toBe(true);
});

test('agrees with git on patterns, directories and names that are taken back', () => {
  const files: Record<string, string> = {
    '': 'build\n*.o\n!important.o\n/top\na/**/z\nfoo/*\n!foo/bar\nsp\\ ace\n[ab]x\nq?\n**/any\nend/**\n\\#hash\ndir/\n',
    sub: '!build\n/top\n*.c\n!*.o\n',
    'sub/we[i]rd': 'x\n/y\n',
  };
  for (const [dir, text] of Object.entries(files)) {
    write(join(dir, '.sluiceignore'), text);
    write(join(dir, '.gitignore'), text);
  }
  execFileSync('git', ['init', '-q', root]);
  const names = [
    'build',
    'm.o',
    'important.o',
    'top',
    'a/z',
    'a/b/c/z',
    'foo/x',
    'foo/bar',
    'sp ace',
    'ax',
    'cx',
    'qq',
    'any',
    'end/x',
    '#hash',
    'dir',
    'x',
    'y',
    'n.c',
  ];
  for (const dir of ['', 'sub', 'sub/we[i]rd', 'other/deep']) {
    const ignored = loadIgnore(root, parseRelPath(dir));
    for (const name of names) {
      const path = join(dir, name);
      const git = spawnSync('git', ['check-ignore', '-q', '--no-index', '--', path], { cwd: root }).status === 0;
      expect([path, ignored?.(name, false)]).toEqual([path, git]);
    }
  }
});
