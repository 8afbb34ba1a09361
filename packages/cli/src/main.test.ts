import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@sluice/engine';
import { main } from './main.js';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-cli-')));
  execFileSync('git', ['init', '-q', root]);
  writeFileSync(join(root, 'nx.json'), '{}');
  mkdirSync(join(root, 'people/raw'), { recursive: true });
  writeFileSync(join(root, 'people/raw/1'), '1\n');
  writeFileSync(join(root, 'people/raw/2'), '2\n');
  const targets = {
    raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } },
    sum: {
      executor: '@sluice/nx:stage',
      options: { command: 'cat raw/* > sum.txt', deps: ['{projectRoot}/raw'], outs: ['{projectRoot}/sum.txt'] },
    },
  };
  writeFileSync(join(root, 'people/project.json'), JSON.stringify({ name: 'people', targets }));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** One command line in this process, with what it printed. */
async function sluice(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: { PATH: process.env.PATH },
    readInput: async () => '',
    cwd: root,
    signal: new AbortController().signal,
  };
  const code = await main(argv, io, openEngine, '1.2.3');
  return { code, out, err };
}

async function json(...argv: string[]): Promise<{ code: number; document: Record<string, unknown>; err: string }> {
  const { code, out, err } = await sluice('--json', ...argv);
  return { code, document: JSON.parse(out), err };
}

test('init writes what is missing; twice is once', async () => {
  expect((await sluice('init', '--remote', 'file:../data-remote')).out).toContain('wrote sluice.json');
  const before = readFileSync(join(root, 'sluice.json'), 'utf8');
  expect(await json('init', '--remote', 'file:../data-remote')).toMatchObject({
    code: 0,
    document: { schema: 1, written: [] },
  });
  expect(readFileSync(join(root, 'sluice.json'), 'utf8')).toBe(before);
  expect(readFileSync(join(root, '.gitignore'), 'utf8')).toBe('/.sluice/\n/sluice.local.json\n');
  expect((await json('remote', 'list')).document).toEqual({
    schema: 1,
    remotes: [{ name: 'origin', url: 'file:../data-remote', default: true, readOnly: false }],
  });
});

test('data goes from new to unchanged, and the JSON has the promised shape', async () => {
  const before = await json('status', 'people:raw');
  expect(before.document).toMatchObject({
    schema: 1,
    stages: [
      {
        project: 'people',
        target: 'raw',
        state: 'new',
        reasons: [{ kind: 'new' }],
        outs: [{ workspace: 'modified', store: 'absent' }],
      },
    ],
  });
  expect((await sluice('status', '--exit-code')).code).toBe(1);

  const committed = await json('commit');
  expect(committed.document).toMatchObject({
    schema: 1,
    stages: [{ project: 'people', target: 'raw', outs: [{ path: 'people/raw', files: 2, bytes: 4 }] }],
    objects: { new: 3, reused: 0 },
    bytes: { new: 4, reused: 0 },
    ms: expect.any(Number),
  });

  const after = await json('status', 'people:raw', '--exit-code');
  expect(after.code).toBe(0);
  expect(after.document).toEqual({
    schema: 1,
    stages: [
      {
        project: 'people',
        target: 'raw',
        state: 'unchanged',
        reasons: [],
        outs: [
          {
            path: 'people/raw',
            digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
            files: 2,
            bytes: 4,
            workspace: 'present',
            store: 'complete',
            stored: { files: 2, bytes: 4 },
            remote: {},
          },
        ],
      },
    ],
  });
  expect((await json('store', 'stat')).document).toEqual({
    schema: 1,
    objects: 3,
    blobs: 2,
    trees: 1,
    records: 1,
    bytes: 4,
  });
});

test('a deleted out comes back by checkout, an edited one only with --force', async () => {
  await sluice('commit');
  rmSync(join(root, 'people/raw'), { recursive: true });
  expect((await json('checkout')).document).toMatchObject({
    workspace: { written: 2, removed: 0, unchanged: 0 },
    bytes: 4,
  });
  expect(readFileSync(join(root, 'people/raw/1'), 'utf8')).toBe('1\n');

  writeFileSync(join(root, 'people/raw/1'), 'edited by hand\n');
  expect(await json('checkout')).toMatchObject({ code: 4, document: { error: { code: 'ERR_OUT_MODIFIED' } } });
  const forced = await sluice('checkout', '--force');
  expect(forced.code).toBe(0);
  expect(forced.err).toContain('sluice checkout --kept');
  expect(readFileSync(join(root, 'people/raw/1'), 'utf8')).toBe('1\n');

  const [, digest = ''] = /--kept (sha256:[0-9a-f]+)/.exec(forced.err) ?? [];
  expect((await sluice('checkout', '--kept', digest)).code).toBe(0);
  expect(readFileSync(join(root, 'people/raw/1'), 'utf8')).toBe('edited by hand\n');
});

test('explain shows each part, gc and verify report what they did', async () => {
  await sluice('commit');
  expect((await json('explain', 'people:sum')).document).toMatchObject({
    state: 'new',
    fingerprint: { before: null, after: expect.stringMatching(/^sha256:/) },
    parts: expect.arrayContaining([
      { kind: 'command', name: '', before: null, after: 'cat raw/* > sum.txt', changed: true },
    ]),
  });
  expect((await json('gc', '--dry-run')).document).toMatchObject({
    removed: { blobs: 0, trees: 0 },
    kept: { blobs: 2, trees: 1, bytes: 4 },
    dryRun: true,
  });
  expect((await json('verify', '--deep')).document).toMatchObject({ findings: [], checked: { objects: 3, files: 2 } });
});

test('mistakes have a code, a suggestion and exit 2', async () => {
  expect(await json('stats')).toMatchObject({
    code: 2,
    document: { schema: 1, error: { code: 'ERR_USAGE', hint: 'Did you mean status?' } },
  });
  expect(await json('status', '--remot')).toMatchObject({ code: 2, document: { error: { code: 'ERR_USAGE' } } });
  expect(await json('status', 'peple:raw')).toMatchObject({ code: 2, document: { error: { code: 'ERR_SELECTOR' } } });
  expect(await json('commit', 'people:sum')).toMatchObject({ code: 2, document: { error: { code: 'ERR_USAGE' } } });
  expect(await json('push')).toMatchObject({ code: 2, document: { error: { code: 'ERR_REMOTE_UNKNOWN' } } });
  expect(await json('--cwd', '/', 'status')).toMatchObject({ code: 2, document: { error: { code: 'ERR_WORKSPACE' } } });
  expect(await json('fetch', '--max-bytes', 'much')).toMatchObject({
    code: 2,
    document: { error: { code: 'ERR_USAGE' } },
  });
});

test('help has examples, the version is the one of the package', async () => {
  for (const command of ['init', 'status', 'commit', 'checkout', 'fetch', 'pull', 'push', 'gc', 'verify', 'explain']) {
    const { code, out } = await sluice(command, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`$ sluice ${command}`);
  }
  expect((await sluice('--version')).out).toBe('1.2.3\n');
});

test('quiet says nothing, events are lines of JSON on stderr', async () => {
  expect((await sluice('-q', 'commit')).out).toBe('');
  writeFileSync(join(root, 'people/raw/3'), '3\n');
  const { out, err } = await sluice('--events', '--json', 'commit');
  expect(JSON.parse(out)).toMatchObject({ schema: 1, objects: { new: 2 } });
  const events = err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toMatchObject({ type: 'progress', phase: 'hashing', files: 1, totalFiles: 1 });
});
