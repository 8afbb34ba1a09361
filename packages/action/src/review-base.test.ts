import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reviewBase } from './review-base.js';

let dir: string;
const { signal } = new AbortController();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const IDENTITY = ['-c', 'user.name=T', '-c', 'user.email=t@e', '-c', 'init.defaultBranch=main'];

function git(where: string, ...args: string[]): string {
  return execFileSync('git', [...IDENTITY, '-C', where, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** An origin with a branch that was left behind by main, and the merge that GitHub makes of both. */
function origin(): { url: string; start: string; main: string; head: string } {
  const at = join(dir, 'origin');
  execFileSync('git', [...IDENTITY, 'init', '--quiet', at]);
  const commit = (name: string): string => {
    writeFileSync(join(at, name), name);
    git(at, 'add', '-A');
    git(at, 'commit', '--quiet', '-m', name);
    return git(at, 'rev-parse', 'HEAD');
  };
  const start = commit('start');
  git(at, 'switch', '--quiet', '-c', 'change');
  const head = commit('change');
  git(at, 'switch', '--quiet', 'main');
  const main = commit('later');
  git(at, 'switch', '--quiet', '--detach');
  git(at, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'change');
  git(at, 'update-ref', 'refs/pull/7/merge', 'HEAD');
  git(at, 'switch', '--quiet', 'main');
  return { url: `file://${at}`, start, main, head };
}

/** As `actions/checkout` does it. */
function checkout(url: string, ref: string, depth: number | undefined): string {
  const at = join(dir, 'clone');
  execFileSync('git', [...IDENTITY, 'init', '--quiet', at]);
  git(at, 'remote', 'add', 'origin', url);
  const all = depth === undefined ? ['+refs/heads/*:refs/remotes/origin/*'] : [`--depth=${depth}`];
  git(at, 'fetch', '--quiet', '--no-tags', 'origin', ...all, `+${ref}:refs/remotes/pull/7/merge`);
  git(at, 'checkout', '--quiet', '--detach', 'refs/remotes/pull/7/merge');
  return at;
}

const host = { env: process.env };

test.each([1, 2, undefined])('the first parent of the merge, with a depth of %s', async (depth) => {
  const { url, start, main, head } = origin();
  const clone = checkout(url, 'refs/pull/7/merge', depth);
  // The event knows an older main.
  const pull = { number: 7, isFork: false, head, base: { commit: start, ref: 'main' } };
  expect(await reviewBase(host, clone, pull, signal)).toEqual({ rev: main, name: 'main' });
  expect(git(clone, 'cat-file', '-t', main)).toBe('commit');
  expect(git(clone, 'rev-parse', '--is-shallow-repository')).toBe(String(depth !== undefined));
});

test('where the branch is checked out and not the merge: where it left main, or main where that is not known', async () => {
  const { url, start, main, head } = origin();
  const pull = { number: 7, isFork: false, head, base: { commit: main, ref: 'main' } };
  expect(await reviewBase(host, checkout(url, 'refs/heads/change', undefined), pull, signal)).toMatchObject({
    rev: start,
  });
  rmSync(join(dir, 'clone'), { recursive: true });
  expect(await reviewBase(host, checkout(url, 'refs/heads/change', 1), pull, signal)).toMatchObject({ rev: main });
});

test('what cannot be fetched, and what the event does not name, is not known', async () => {
  const { url, start, head } = origin();
  const clone = checkout(url, 'refs/pull/7/merge', 1);
  rmSync(join(dir, 'origin'), { recursive: true });
  const pull = { number: 7, isFork: false, head, base: { commit: start, ref: 'main' } };
  expect(await reviewBase(host, clone, pull, signal)).toBeUndefined();
  expect(await reviewBase(host, clone, { number: 7, isFork: false }, signal)).toBeUndefined();
});
