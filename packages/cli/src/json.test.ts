import { findWorkspaceRoot, openEngine } from '@sluice/engine';
import { COMMAND_NOTES, WITHOUT_COMMAND } from './reference/command-notes.js';
import { commandTable } from './reference/command-table.js';
import { shapeProblems } from './reference/shape.js';
import { fakeEngine } from './testing/fake-engine.js';
import { HERE, runMain } from './testing/run-main.js';
import {
  BLAME,
  CAT,
  CHECKOUT,
  COMMIT,
  DIFF,
  DOCTOR,
  EXPLAIN,
  EXPORT,
  FETCH,
  GC,
  GC_EXPLANATION,
  GC_REMOTE,
  IMPORT,
  LOG,
  LS,
  MERGE,
  PLAN,
  PULL,
  PUSH,
  RELOCK,
  REMOTE_STAT,
  REMOTES,
  RESOLVED,
  STAGE,
  STORE,
  SUMMARY,
  UNLOCK,
  VERIFY,
} from './testing/samples/index.js';

const { path, ...stat } = STORE;

/** Arguments, the call that they mean, and the document. */
const CASES: readonly (readonly [args: string, call: readonly unknown[], document: object])[] = [
  ['init --remote file:../data', ['init', { remote: 'file:../data' }], { written: ['sluice.json', '.gitignore'] }],
  ['status', ['status', { select: [], remotes: [] }], { stages: [STAGE] }],
  ['status p:t q --remote', ['status', { select: ['p:t', 'q'], remotes: 'own' }], { stages: [STAGE] }],
  ['status --remote s3cache', ['status', { select: [], remotes: ['s3cache'] }], { stages: [STAGE] }],
  [
    'export p:t q out --rev v1',
    ['exportData', { select: ['p:t', 'q'], to: expect.stringMatching(/[/]out$/), tar: false, rev: 'v1' }],
    EXPORT,
  ],
  [
    'export p:t --tar a.tar --force',
    ['exportData', { select: ['p:t'], to: expect.stringMatching(/[/]a[.]tar$/), tar: true, force: true }],
    EXPORT,
  ],
  [
    'import zip a.zip p:t',
    ['importArchive', { kind: 'zip', from: expect.stringMatching(/[/]a[.]zip$/), select: ['p:t'] }],
    { imports: [IMPORT] },
  ],
  [
    'import tar a.tgz p:t',
    ['importArchive', { kind: 'tar', from: expect.stringMatching(/[/]a[.]tgz$/), select: ['p:t'] }],
    { imports: [IMPORT] },
  ],
  ['import url https://h/a p:t', ['importUrl', { url: 'https://h/a', select: ['p:t'] }], { imports: [IMPORT] }],
  [
    'import url s3://b/k p:t --region r --endpoint http://h --profile me --force-path-style --anonymous --request-payer',
    [
      'importUrl',
      {
        url: 's3://b/k',
        select: ['p:t'],
        s3: {
          region: 'r',
          endpoint: 'http://h',
          profile: 'me',
          forcePathStyle: true,
          anonymous: true,
          requestPayer: true,
        },
      },
    ],
    { imports: [IMPORT] },
  ],
  [
    'export p:t s3://b/k --region r --storage-class STANDARD_IA --sse aws:kms --kms-key k',
    [
      'exportData',
      {
        select: ['p:t'],
        to: 's3://b/k',
        tar: false,
        s3: { region: 'r', storageClass: 'STANDARD_IA', sse: 'aws:kms', kmsKey: 'k' },
      },
    ],
    EXPORT,
  ],
  ['import url --update p', ['updateImports', { select: ['p'] }], { imports: [IMPORT] }],
  ['plan', ['plan', { select: [] }], PLAN],
  ['plan p:t --max-levels 2 --shards 8', ['plan', { select: ['p:t'], maxLevels: 2, shards: 8 }], PLAN],
  ['relock p', ['relock', { select: ['p'] }], RELOCK],
  ['commit p:t --force', ['commit', { select: ['p:t'], force: true }], COMMIT],
  ['checkout', ['checkout', { select: [], strict: false }], CHECKOUT],
  [
    'checkout p --rev v1 --force --link copy --strict',
    ['checkout', { select: ['p'], rev: 'v1', force: true, link: 'copy', strict: true }],
    CHECKOUT,
  ],
  ['checkout --kept sha256:1', ['checkoutKept', 'sha256:1'], CHECKOUT],
  ['fetch p:t#a/*', ['fetch', { select: ['p:t#a/*'] }], FETCH],
  [
    'pull --remote near --rev v1 --history --max-bytes 500MB --force',
    ['pull', { select: [], remotes: ['near'], rev: 'v1', history: true, maxBytes: 5e8, force: true }],
    PULL,
  ],
  ['push', ['push', { select: [] }], PUSH],
  [
    'push p --remote near,far --all-branches --all-tags --all-commits --rev a --rev b --dry-run',
    [
      'push',
      {
        select: ['p'],
        remotes: ['near', 'far'],
        allBranches: true,
        allTags: true,
        allCommits: true,
        revs: ['a', 'b'],
        dryRun: true,
      },
    ],
    PUSH,
  ],
  ['ls people:raw --rev v1 --local', ['ls', { select: ['people:raw'], rev: 'v1', local: true }], LS],
  ['cat people:raw#1.jpg', ['cat', { select: 'people:raw#1.jpg' }], CAT],
  [
    'cat people:raw#1.jpg --rev v1 --range 10-19',
    ['cat', { select: 'people:raw#1.jpg', rev: 'v1', range: { offset: 10, length: 10 } }],
    CAT,
  ],
  ['cat people:raw#1.jpg --range=-5', ['cat', { select: 'people:raw#1.jpg', range: { last: 5 } }], CAT],
  ['log', ['log', { select: [] }], LOG],
  [
    'log people --graph --stat -n 3 --rev a --rev b --all-branches --all-tags --all-commits --remote',
    [
      'log',
      {
        select: ['people'],
        stat: true,
        num: 3,
        revs: ['a', 'b'],
        allBranches: true,
        allTags: true,
        allCommits: true,
        remotes: 'own',
      },
    ],
    LOG,
  ],
  ['log --remote near', ['log', { select: [], remotes: ['near'] }], LOG],
  ['blame people:raw --rev v1', ['blame', { select: ['people:raw'], rev: 'v1' }], BLAME],
  ['diff', ['diff', { select: [] }], DIFF],
  ['diff main people:raw', ['diff', { select: ['people:raw'], before: 'main' }], DIFF],
  ['diff main..HEAD~1 --content', ['diff', { select: [], before: 'main', after: 'HEAD~1', content: true }], DIFF],
  ['diff people v1 lock', ['diff', { select: ['people'], before: 'v1', after: 'lock' }], DIFF],
  ['summary', ['summary', { select: [] }], SUMMARY],
  ['summary p --rev v1 --remote near', ['summary', { select: ['p'], rev: 'v1', remotes: ['near'] }], SUMMARY],
  ['gc', ['gc', {}], GC],
  ['gc --workspace', ['gc', {}], GC],
  [
    'gc --since 2026-01-01 --num 3 --records 14d --allow-unpushed --dry-run --forget-workspace /gone',
    [
      'gc',
      {
        since: '2026-01-01',
        num: 3,
        recordsMs: 1_209_600_000,
        allowUnpushed: true,
        dryRun: true,
        forgetWorkspace: '/gone',
      },
    ],
    GC,
  ],
  ['gc --remote near --grace 2d', ['gcRemote', { remote: 'near', graceMs: 172_800_000 }], GC_REMOTE],
  ['gc --explain sha256:1a', ['explainGc', { what: 'sha256:1a' }], GC_EXPLANATION],
  ['gc --explain data/1.jpg', ['explainGc', { what: 'packages/cli/src/testing/data/1.jpg' }], GC_EXPLANATION],
  ['doctor', ['doctor', {}], { ...DOCTOR, findings: DOCTOR.findings.slice(1) }],
  ['doctor --fix', ['doctor', { fix: true }], { ...DOCTOR, findings: DOCTOR.findings.slice(1) }],
  ['verify --deep --repair --from near', ['verify', { deep: true, repair: true, from: 'near' }], VERIFY],
  ['verify --remote', ['verifyRemote', {}], VERIFY],
  [
    'verify --remote near --deep --repair --all-branches --rev v1',
    ['verifyRemote', { remote: 'near', deep: true, repair: true, allBranches: true, revs: ['v1'] }],
    VERIFY,
  ],
  ['explain model:train', ['explain', 'model:train'], EXPLAIN],
  ['resolve', ['resolve', { select: [] }], RESOLVED],
  ['resolve --ours p:t#a', ['resolve', { select: ['p:t#a'], side: 'ours' }], RESOLVED],
  ['resolve --theirs', ['resolve', { select: [], side: 'theirs' }], RESOLVED],
  ['verify --append-only', ['verifyAppendOnly', { select: [] }], VERIFY],
  ['verify --append-only --base main', ['verifyAppendOnly', { select: [], base: 'main' }], VERIFY],
  ['unlock data/1.jpg', ['unlock', { paths: ['packages/cli/src/testing/data/1.jpg'] }], UNLOCK],
  ['merge-driver /o /a /b /p', ['mergeLocks', { base: '/o', ours: '/a', theirs: '/b', path: '/p' }], MERGE],
  ['hook post-checkout a b 1', ['followGit', { from: 'a', to: 'b' }], CHECKOUT],
  ['hook post-checkout a b 0', ['close'], {}],
  ['hook post-merge 0', ['followGit', { from: 'ORIG_HEAD', to: 'HEAD' }], CHECKOUT],
  ['hook post-merge 1', ['followGit', {}], CHECKOUT],
  [
    'hook pre-push origin url',
    ['prePush', { remote: 'origin', updates: [{ local: '1', remote: '0' }] }],
    { checked: 2, pushed: PUSH },
  ],
  ['hook post-index-change', ['close'], {}],
  ['remote list', ['remotes'], { remotes: REMOTES }],
  ['remote remove near', ['removeRemote', 'near'], { remotes: REMOTES }],
  ['remote default near', ['setDefaultRemote', 'near'], { remotes: REMOTES }],
  [
    'remote add s3cache s3://b --endpoint http://localhost:9000 --region r --force-path-style',
    [
      'addRemote',
      { name: 's3cache', url: 's3://b', endpoint: 'http://localhost:9000', region: 'r', forcePathStyle: true },
    ],
    { remotes: REMOTES },
  ],
  ['remote ping', ['pingRemote', undefined], { remote: 's3cache', used: true, ms: 12, proxy: null }],
  ['remote stat near', ['remoteStat', 'near'], REMOTE_STAT],
  ['store stat', ['storeStat'], stat],
  ['store path', ['storeStat'], { path }],
];

test.each(CASES)('%s', async (args, call, document) => {
  const engine = fakeEngine();
  const readInput = async (): Promise<string> => 'refs/heads/a 1 refs/heads/a 0\n';
  const { code, out, err } = await runMain(['--json', ...args.split(' ')], { engine, readInput });
  // Conflicts of a merge are for git to know.
  expect({ code, err }).toEqual({ code: args.startsWith('merge-driver') ? 1 : 0, err: '' });
  expect(out).toMatch(/^\{\n {2}"schema": 1,?\n/);
  expect(JSON.parse(out)).toEqual({ schema: 1, ...document });
  // Some words have to be understood first.
  expect(engine.calls.find(([method]) => method !== 'isSelector')).toEqual(call);
  expect(engine.calls.at(-1)).toEqual(['close']);
});

describe('the table of commands', () => {
  const { commands, groups, globals } = commandTable();
  const names = commands.map(({ name }) => name);
  /** The command that arguments begin with. */
  const commandOf = (args: string): string =>
    names.find((name) => args === name || args.startsWith(`${name} `)) ?? `none of ${args}`;

  test('is described: each command has its notes, and a case here that prints its document', () => {
    expect(Object.keys(COMMAND_NOTES).sort()).toEqual([...names].sort());
    expect([...new Set(CASES.map(([args]) => commandOf(args)))].sort()).toEqual([...names].sort());
    expect(globals.map(({ flags }) => flags)).toContain('--json');
    expect([...groups.keys()]).toEqual(['import', 'remote', 'store']);
    for (const { name, examples, options } of commands) {
      expect([name, examples.length]).not.toEqual([name, 0]);
      const flags = options.flatMap(({ flags: text }) => /--[a-z-]+/.exec(text) ?? []);
      const told = Object.keys(COMMAND_NOTES[name]?.defaults ?? {});
      expect([name, told.filter((flag) => !flags.includes(flag))]).toEqual([name, []]);
    }
  });

  test.each(CASES)('%s prints a document as it is described', (args, _, document) => {
    expect(shapeProblems(COMMAND_NOTES[commandOf(args)]?.json ?? 'none', document)).toEqual([]);
  });

  test('asks the engine for what it says, and together for everything', async () => {
    const asked = new Set<string>();
    for (const [args, [method = '']] of CASES) {
      if (method === 'close') continue;
      asked.add(String(method));
      expect([args, COMMAND_NOTES[commandOf(args)]?.operations]).toEqual([args, expect.arrayContaining([method])]);
    }
    const said = new Set<string>(Object.values(COMMAND_NOTES).flatMap(({ operations }) => operations));
    // What a command only asks to understand its words is in no case.
    expect([...said].filter((operation) => !asked.has(operation))).toEqual(['isSelector']);
    const engine = await openEngine({ root: findWorkspaceRoot(HERE) ?? '', env: {}, threads: 0 });
    try {
      expect([...said, ...Object.keys(WITHOUT_COMMAND)].sort()).toEqual(Object.keys(engine).sort());
    } finally {
      await engine.close();
    }
  });
});

test('global options stand before or behind the command', async () => {
  const engine = fakeEngine();
  await runMain(['--offline', '--cwd', '..', 'status'], { engine });
  await runMain(['status', '--offline', '--cwd', '..'], { engine });
  expect(engine.opened.map(({ offline }) => offline)).toEqual([true, true]);
  expect(HERE.startsWith(engine.opened[0]?.root ?? '?')).toBe(true);
});

test('with --json, help and version are a document too', async () => {
  expect(JSON.parse((await runMain(['--version', '--json'])).out)).toEqual({ schema: 1, version: '1.2.3' });
  expect(JSON.parse((await runMain(['gc', '--help', '--json'])).out)).toEqual({
    schema: 1,
    help: expect.stringContaining('Usage: sluice gc'),
  });
});
