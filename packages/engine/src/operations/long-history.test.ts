import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { makeHistory } from '../../../../scripts/history/make-history.mjs';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';

const COMMITS = 120;
const OUTS = 20;

let top = '';
let history: Awaited<ReturnType<typeof makeHistory>>;
let engine: Engine;
const path = process.env.PATH;
beforeAll(async () => {
  top = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-long-')));
  fs.mkdirSync(join(top, 'ws'));
  history = await makeHistory(join(top, 'ws'), { commits: COMMITS, outs: OUTS, openEngine });
  engine = await openEngine({ root: join(top, 'ws'), env: process.env, threads: 0 });
  putGitShim();
}, 300_000);
afterAll(async () => {
  process.env.PATH = path;
  await engine?.close();
  fs.rmSync(top, { recursive: true, force: true });
});

/** A `git` in front of the real one that notes each process, and the bytes that it prints. */
function putGitShim(): void {
  const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  fs.mkdirSync(join(top, 'bin'));
  const script = [
    '#!/bin/sh',
    `out="${top}/out.$$"`,
    `"${git}" "$@" > "$out"; status=$?`,
    `echo "$(wc -c < "$out") $*" >> "${top}/calls"`,
    'cat "$out"; rm "$out"; exit $status',
  ];
  fs.writeFileSync(join(top, 'bin/git'), `${script.join('\n')}\n`, { mode: 0o755 });
  process.env.PATH = `${join(top, 'bin')}:${path}`;
}

/** What git was asked, and how many bytes it said, while `act` ran. */
async function gitDuring<T>(
  act: () => Promise<T>,
): Promise<{ result: T; calls: string[]; bytes: (of: string) => number }> {
  fs.rmSync(join(top, 'calls'), { force: true });
  const result = await act();
  const calls = fs.existsSync(join(top, 'calls')) ? fs.readFileSync(join(top, 'calls'), 'utf8').trim().split('\n') : [];
  const bytes = (of: string): number =>
    calls.filter((call) => call.includes(of)).reduce((sum, call) => sum + Number.parseInt(call, 10), 0);
  return { result, calls, bytes };
}

test('a log of 120 commits of 20 outs takes a handful of processes and reads each lock once', async () => {
  const { result, calls, bytes } = await gitDuring(() => engine.log({ select: [] }));
  expect(result.commits).toHaveLength(COMMITS);
  expect(result.commits.map(({ outs }) => outs.map(({ project, target }) => `${project}:${target}`))).toEqual([
    ...history.changed
      .slice(1)
      .reverse()
      .map((stage) => [stage]),
    [...history.stages].sort(),
  ]);
  expect(calls.length).toBeLessThanOrEqual(4);
  // `<40 hex> blob <bytes>`, the lock, a newline.
  expect(bytes('cat-file')).toBeLessThanOrEqual(history.lockBytes + history.locks * 60);
});

test('a log of one out reads the locks of its project only, and its counts only trees', async () => {
  const { result, calls, bytes } = await gitDuring(() => engine.log({ select: ['p1:d1'], stat: true }));
  expect(result.commits.map(({ subject }) => subject)).toEqual(
    history.changed.flatMap((stage, i) => (stage === 'p1:d1' || i === 0 ? [`Change ${i}`] : [])).reverse(),
  );
  for (const { outs } of result.commits.slice(0, -1)) expect(outs[0]?.stat?.modified).toBe(1);
  expect(calls.length).toBeLessThanOrEqual(4);
  expect(bytes('cat-file')).toBeLessThan(history.lockBytes / 3);
});

test('blame walks all versions of an out with one log', async () => {
  const { result, calls } = await gitDuring(() => engine.blame({ select: ['p1:d1'] }));
  expect(result.files.length).toBeGreaterThan(20);
  expect(result.files.every(({ commit, orEarlier }) => commit !== null && !orEarlier)).toBe(true);
  expect(calls.length).toBeLessThanOrEqual(2);
});

test('a diff across the history, and a summary, ask git as often as one of two commits', async () => {
  const near = await gitDuring(() => engine.diff({ select: [], before: 'HEAD~1', after: 'HEAD' }));
  const far = await gitDuring(() => engine.diff({ select: [], before: `HEAD~${COMMITS - 1}`, after: 'HEAD' }));
  expect(near.result.outs).toHaveLength(1);
  expect(far.result.outs).toHaveLength(OUTS);
  expect(far.calls.length).toBe(near.calls.length);
  expect(far.calls.length).toBeLessThanOrEqual(6);
  const { result, calls } = await gitDuring(() => engine.summary({ select: [] }));
  expect(result.outs).toHaveLength(OUTS);
  expect(calls).toEqual([]);
});
