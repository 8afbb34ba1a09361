import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { SluiceError } from '../errors.js';
import { parseRelPath, ROOT } from '../model/path.js';
import { isGitWorkspace, isShallow, readFileAt, resolveRev, trackedFilesUnder } from './git.js';
import { locksOf, lockTextsAt } from './lock-history.js';
import type { HistoryScope } from './scope.js';

let top = '';
let root = '';
beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-history-')));
  root = join(top, 'work space');
  fs.mkdirSync(root);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], {
    cwd: top,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true });
  fs.writeFileSync(join(root, path), text);
}

/** A commit at the given hour of a day. */
function commit(files: Record<string, string>, hour = 0): string {
  for (const [path, text] of Object.entries(files)) write(path, text);
  git('add', '-A');
  const date = `2026-01-02T${String(hour).padStart(2, '0')}:00:00Z`;
  execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@x', 'commit', '-qm', 'x', '--allow-empty'], {
    cwd: top,
    env: { PATH: process.env.PATH, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
  return git('rev-parse', 'HEAD');
}

async function texts(scope: HistoryScope): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of locksOf(root, scope)) found.push(text);
  return found.sort();
}

async function problemOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return 'none';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

describe('outside a repository', () => {
  test('nothing is tracked, and history is an error', async () => {
    expect(await isGitWorkspace(root)).toBe(false);
    expect(await trackedFilesUnder(root, ROOT)).toEqual([]);
    expect(await problemOf(isShallow(root))).toContain(`ERR_REVISION ${root} is not in a git repository`);
    expect(await problemOf(resolveRev(root, 'HEAD'))).toContain(`ERR_REVISION ${root} is not in a git repository`);
    for (const scope of [
      { allBranches: true },
      { allCommits: true },
      { num: 2 },
      { since: '2026-01-01' },
      { revs: ['HEAD'] },
    ]) {
      expect(await problemOf(texts(scope))).toContain('is not in a git repository');
    }
  });

  test('a missing git is told', async () => {
    const env = { PATH: top };
    expect(await isGitWorkspace(root, { env })).toBe(false);
    expect(await trackedFilesUnder(root, ROOT, { env })).toEqual([]);
    expect(await problemOf(isShallow(root, { env }))).toBe('ERR_REVISION git is not found');
    expect(await problemOf(resolveRev(root, 'HEAD', { env }))).toBe('ERR_REVISION git is not found');
  });

  test('a repository is told apart in every language', async () => {
    const env = { PATH: process.env.PATH, LANG: 'de_DE.UTF-8', LANGUAGE: 'de' };
    expect(await problemOf(resolveRev(root, 'HEAD', { env }))).toContain('is not in a git repository');
  });
});

describe('in a workspace below the root of a repository', () => {
  beforeEach(() => git('init', '-q', '-b', 'main'));

  test('a repository without commits', async () => {
    expect(await isGitWorkspace(root)).toBe(true);
    expect(await isShallow(root)).toBe(false);
    expect(await problemOf(resolveRev(root, 'HEAD'))).toBe('ERR_REVISION no commit is named "HEAD"');
    expect(await texts({ allBranches: true, allTags: true, allCommits: true, num: 3, since: '2026-01-01' })).toEqual(
      [],
    );
  });

  test('tracked files', async () => {
    commit({ 'p/data/a b': '1', 'p/data/ü\n"x"': '2', 'p/data2': '3', 'p/*': '4' });
    write('p/data/untracked', '5');
    expect((await trackedFilesUnder(root, parseRelPath('p/data'))).sort()).toEqual(['p/data/a b', 'p/data/ü\n"x"']);
    expect(await trackedFilesUnder(root, parseRelPath('p/*'))).toEqual(['p/*']);
    expect(await trackedFilesUnder(root, parseRelPath('-x'))).toEqual([]);
    expect(await trackedFilesUnder(root, ROOT)).toHaveLength(4);
  });

  test('revisions and files at them', async () => {
    const first = commit({ 'p/sluice-lock.json': 'one', '-odd name': 'odd' });
    git('tag', '-a', '-m', 'x', 'v1');
    const second = commit({ 'p/sluice-lock.json': 'two' });
    expect(await resolveRev(root, 'HEAD')).toBe(second);
    expect(await resolveRev(root, 'v1')).toBe(first);
    expect(await resolveRev(root, 'HEAD~1')).toBe(first);
    expect(await readFileAt(root, 'v1', parseRelPath('p/sluice-lock.json'))).toBe('one');
    expect(await readFileAt(root, 'main', parseRelPath('-odd name'))).toBe('odd');
    expect(await readFileAt(root, 'main', parseRelPath('p/none'))).toBeUndefined();
    for (const rev of ['', '-n1', '--output=x', 'nope', 'HEAD^{tree}', 'a\nb', 'HEAD..v1']) {
      expect(await problemOf(resolveRev(root, rev))).toBe(`ERR_REVISION no commit is named ${JSON.stringify(rev)}`);
    }
    expect(await problemOf(readFileAt(root, '--help', parseRelPath('x')))).toContain('ERR_REVISION');
  });

  test('scopes, each distinct lock once', async () => {
    fs.writeFileSync(join(top, 'sluice-lock.json'), 'outside');
    const first = commit(
      {
        'a/sluice-lock.json': 'a1',
        'b/sluice-lock.json': 'b1',
        'sluice-lock.json': 'r1',
        'c/sluice-lock.json.bak': 'no',
      },
      1,
    );
    git('tag', 'light');
    const second = commit({ 'a/sluice-lock.json': 'a2' }, 2);
    git('tag', '-a', '-m', 'x', 'heavy');
    git('tag', 'of-a-blob', 'HEAD:work space/a/sluice-lock.json');
    git('checkout', '-q', '-b', 'side', 'light');
    commit({ 'b/sluice-lock.json': 'b-side', 'copy/sluice-lock.json': 'a1' }, 3);
    git('checkout', '-q', 'main');
    commit({ 'b/sluice-lock.json': 'b2' }, 4);
    git('update-ref', 'refs/remotes/origin/far', git('commit-tree', '-p', first, '-m', 'x', `${second}^{tree}`));
    commit({ 'a/sluice-lock.json': 'a3', 'd/sluice-lock.json': 'a2' }, 5);

    expect(await texts({ revs: ['light'] })).toEqual(['a1', 'b1', 'r1']);
    expect(await texts({ revs: [second] })).toEqual(['a2', 'b1', 'r1']);
    expect(await texts({ revs: ['light', 'main'] })).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'r1']);
    expect(await texts({ allBranches: true })).toEqual(['a1', 'a2', 'a3', 'b-side', 'b1', 'b2', 'r1']);
    expect(await texts({ allTags: true })).toEqual(['a1', 'a2', 'b1', 'r1']);
    expect(await texts({ num: 1 })).toEqual(['a2', 'a3', 'b2', 'r1']);
    expect(await texts({ num: 3 })).toEqual(['a2', 'a3', 'b1', 'b2', 'r1']);
    expect(await texts({ num: 0 })).toEqual([]);
    expect(await texts({ num: 1, revs: ['light'] })).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'r1']);
    expect(await texts({ allCommits: true })).toEqual(['a1', 'a2', 'a3', 'b-side', 'b1', 'b2', 'r1']);
    expect(await texts({ since: '2026-01-02T03:30:00Z' })).toContain('b2');
    expect(await texts({ since: '2030-01-01' })).not.toContain('b2');
    expect(await texts({})).toEqual([]);

    for await (const { rev, path, text } of locksOf(root, { revs: ['light'] })) {
      expect(rev).toBe(first);
      expect(await readFileAt(root, rev, path)).toBe(text);
    }
    expect([...(await lockTextsAt(root, 'side'))]).toEqual([
      ['a/sluice-lock.json', 'a1'],
      ['b/sluice-lock.json', 'b-side'],
      ['copy/sluice-lock.json', 'a1'],
      ['sluice-lock.json', 'r1'],
    ]);
    expect(await problemOf(texts({ since: 'lats week' }))).toBe('ERR_REVISION not a date: "lats week"');
    expect(await problemOf(texts({ num: -1 }))).toContain('not a number of commits');
    expect(await problemOf(texts({ revs: ['--all'] }))).toContain('no commit is named');
  });

  test('locks that only a merge holds, and a merge of strangers', async () => {
    commit({ 'a/sluice-lock.json': 'base' });
    git('checkout', '-q', '-b', 'left');
    commit({ 'a/sluice-lock.json': 'left' });
    git('checkout', '-q', 'main');
    commit({ 'a/sluice-lock.json': 'right' });
    git('merge', '-q', '--no-commit', '-s', 'ours', 'left');
    commit({ 'a/sluice-lock.json': 'merged' });
    git('checkout', '-q', '--orphan', 'stranger');
    commit({ 'a/sluice-lock.json': 'stranger' });
    git('checkout', '-q', '--detach', 'main');
    commit({ 'a/sluice-lock.json': 'detached' });
    expect(await texts({ allCommits: true })).toEqual(['base', 'detached', 'left', 'merged', 'right', 'stranger']);
    expect(await texts({ allBranches: true })).toEqual(['left', 'merged', 'stranger']);
  });

  test('a shallow clone knows that it is one, and gives what it has', async () => {
    commit({ 'a/sluice-lock.json': 'old' });
    commit({ 'a/sluice-lock.json': 'new', 'b/sluice-lock.json': 'b' });
    const clone = join(top, 'clone');
    git('clone', '-q', '--depth', '1', `file://${top}`, clone);
    root = join(clone, 'work space');
    expect(await isShallow(root)).toBe(true);
    expect(await texts({ allCommits: true })).toEqual(['b', 'new']);
  });

  test('thousands of commits take a moment', async () => {
    const count = 3000;
    const stream = Array.from({ length: count }, (_, at) => {
      const lock = `lock ${at}`;
      const mark = at === 0 ? '' : 'M 100644 inline "work space/other"\ndata 1\nx\n';
      return `commit refs/heads/long\ncommitter n <e@x> ${1_700_000_000 + at} +0000\ndata 1\nx\n${mark}M 100644 inline "work space/p${at % 50}/sluice-lock.json"\ndata ${lock.length}\n${lock}\n`;
    });
    execFileSync('git', ['fast-import', '--quiet'], { cwd: top, input: stream.join('\n') });
    const start = performance.now();
    expect(await texts({ allCommits: true })).toHaveLength(count);
    expect(performance.now() - start).toBeLessThan(3000);
  }, 30_000);

  test('stops when it is told to, and when nobody reads on', async () => {
    commit({ 'a/sluice-lock.json': '1', 'b/sluice-lock.json': '2' });
    const read = async (signal: AbortSignal): Promise<void> => {
      for await (const _ of locksOf(root, { allCommits: true }, { signal })) return;
    };
    await read(new AbortController().signal);
    expect(await problemOf(read(AbortSignal.abort()))).toBe('ERR_INTERRUPTED interrupted');
  });
});
