import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../../model/digest.js';
import { printLock } from '../../model/lock.js';
import { parseRelPath } from '../../model/path.js';
import { useTempDir } from '../../testing/temp-dir.js';
import { doctor } from './doctor.js';
import type { DoctorCheck, DoctorFinding } from './finding.js';

const dir = useTempDir();

/** What depends on the machine that the tests run on, and on the clone. */
const OF_THE_MACHINE: readonly DoctorCheck[] = ['reflink', 'clock', 'file-system', 'merge-driver'];

/** A workspace in good order, with more files, or others. */
function workspace(files: Readonly<Record<string, string | object>> = {}): string {
  const all = {
    'nx.json': { plugins: ['@sluice/nx'] },
    'sluice.json': { remotes: { near: { url: 'file:../near' } }, defaultRemote: 'near' },
    '.gitignore': 'node_modules/\n/.sluice/\n/sluice.local.json\n',
    '.nxignore': '.sluice/\n',
    '.gitattributes': '* text=auto\nsluice-lock.json merge=sluice-lock\n',
    'node_modules/@sluice/nx/package.json': { version: '1.0.0' },
    ...files,
  };
  for (const [path, content] of Object.entries(all)) write(path, content);
  execFileSync('git', ['init', '-q', dir()]);
  return dir();
}

function write(path: string, content: string | object): void {
  fs.mkdirSync(dirname(dir(path)), { recursive: true });
  fs.writeFileSync(dir(path), typeof content === 'string' ? content : JSON.stringify(content));
}

async function examine(
  options: { readonly fix?: boolean; readonly nowMs?: () => number; readonly env?: Record<string, string> } = {},
): Promise<readonly DoctorFinding[]> {
  const host = { root: dir(), env: options.env ?? {}, signal: undefined, nowMs: options.nowMs ?? Date.now };
  return (await doctor(host, options.fix ?? false)).findings;
}

/** Findings that do not depend on the machine, short. */
async function found(options: { readonly fix?: boolean } = {}): Promise<string[]> {
  const findings = (await examine(options)).filter(({ check }) => !OF_THE_MACHINE.includes(check));
  return findings.map(
    ({ level, check, subject, fixable }) => `${level} ${check} ${subject}${fixable ? ' (fixable)' : ''}`,
  );
}

function stage(options: object, rest: object = {}): object {
  return { executor: '@sluice/nx:stage', cache: false, ...rest, options: { command: 'x', ...options } };
}

function project(name: string, targets: object): object {
  return { name, targets };
}

test('a workspace in good order has no findings', async () => {
  workspace({ 'p/project.json': project('p', { make: stage({ outs: ['{projectRoot}/data'] }) }) });
  expect(await found()).toEqual([]);
});

test('what init would have written is missing, and is written', async () => {
  workspace();
  for (const name of ['sluice.json', '.gitignore', '.gitattributes', '.nxignore']) fs.rmSync(dir(name));
  write('nx.json', '{\n  // ours\n}\n');
  expect(await found()).toEqual([
    'problem preparation .gitignore (fixable)',
    'problem preparation .nxignore (fixable)',
    'problem preparation nx.json (fixable)',
    'note preparation .gitattributes (fixable)',
    'note preparation sluice.json (fixable)',
  ]);
  expect(fs.existsSync(dir('sluice.json'))).toBe(false);
  expect((await examine({ fix: true })).filter(({ fixed }) => fixed)).toHaveLength(5);
  expect(fs.readFileSync(dir('nx.json'), 'utf8')).toContain('// ours');
  expect(fs.readFileSync(dir('nx.json'), 'utf8')).toContain('"@sluice/nx"');
  expect(await found()).toEqual([]);
});

test('a store in the workspace that git and Nx see', async () => {
  workspace({ 'sluice.json': { store: 'cache/data' } });
  expect(await found()).toEqual(['problem preparation cache/data (fixable)']);
  await examine({ fix: true });
  expect(fs.readFileSync(dir('.nxignore'), 'utf8')).toBe('.sluice/\n/cache/data\n');
  expect(await found()).toEqual([]);
});

test('broken declarations, each for itself', async () => {
  workspace({
    'a/project.json': '{',
    'b/project.json': project('b', { wrong: stage({ oust: [] }), right: stage({ outs: ['{projectRoot}/x'] }) }),
    'c/project.json': project('c', { taken: stage({ outs: ['b/x'] }) }),
    'b/sluice-lock.json': 'no lock',
  });
  expect(await found()).toEqual([
    'problem lock b',
    'problem project a/project.json',
    'problem stage all stages together',
    'problem stage b:wrong',
  ]);
  const [lock] = await examine();
  expect(lock).toMatchObject({
    message: expect.stringMatching(/^ERR_LOCK_INVALID: /),
    fix: expect.stringMatching(/\w/),
  });
});

test('a configuration or an nx.json that cannot be read hides nothing else', async () => {
  workspace({ 'sluice.json': '{"stor": 1}', 'b/project.json': project('b', { wrong: stage({ oust: [] }) }) });
  expect(await found()).toEqual(['problem configuration sluice.json', 'problem stage b:wrong']);
  write('nx.json', '{');
  expect(await found()).toEqual(['problem configuration sluice.json', 'problem workspace nx.json']);
});

test('remotes that are named and not there', async () => {
  workspace({
    'sluice.json': { remotes: {}, defaultRemote: 'near' },
    'p/project.json': project('p', { make: stage({ outs: [{ path: 'p/x', remote: 'far' }, { path: 'p/y' }] }) }),
  });
  expect(await found()).toEqual(['problem remote defaultRemote', 'problem remote p:make p/x']);
});

test('data that git tracks stays tracked, data that nobody ignores is ignored', async () => {
  workspace({
    'p/project.json': project('p', {
      make: stage({ outs: ['p/tracked', 'p/loose', 'p/absent', { path: 'p/metrics.json', cache: false }] }),
    }),
    'p/tracked/1': '1',
    'p/tracked/2': '2',
    'p/loose': '3',
    'p/metrics.json': '{}',
    'p/.gitignore': '/tracked\n',
  });
  execFileSync('git', ['add', '-f', 'p/tracked', 'p/metrics.json'], { cwd: dir() });
  expect(await found()).toEqual([
    'problem git-tracked p:make p/tracked',
    'problem not-ignored p:make p/loose (fixable)',
  ]);
  const [tracked] = await examine({ fix: true });
  expect(tracked).toMatchObject({
    message: 'git tracks p/tracked/1 and 1 other file, so the stage is refused',
    fix: 'Run: git rm -r --cached "p/tracked"',
    fixed: false,
  });
  expect(fs.readFileSync(dir('p/.gitignore'), 'utf8')).toBe('/tracked\n/loose\n');
  expect(await found()).toEqual(['problem git-tracked p:make p/tracked']);
});

test('without git nothing is tracked', async () => {
  workspace();
  fs.rmSync(dir('.git'), { recursive: true });
  expect(await found()).toEqual([]);
});

test('big files that Nx reads, unless something ignores them or they are told as outs', async () => {
  workspace({
    'p/project.json': project('p', { raw: { executor: '@sluice/nx:track', options: { outs: ['p/raw'] } } }),
    '.nxignore': '.sluice/\nignored/\n',
  });
  const sizes = {
    'big.bin': 100 * 1024 ** 2,
    'p/middle.bin': 10 * 1024 ** 2,
    'small.bin': 10 * 1024 ** 2 - 1,
    'ignored/a.bin': 1024 ** 3,
    'node_modules/b.bin': 1024 ** 3,
    'p/raw/c.bin': 1024 ** 3,
  };
  for (const [path, bytes] of Object.entries(sizes)) {
    write(path, '');
    fs.truncateSync(dir(path), bytes);
  }
  expect(await found()).toEqual([
    'problem not-ignored p:raw p/raw (fixable)',
    'problem nx-reads big.bin',
    'note nx-reads p/middle.bin',
  ]);
  for (let i = 0; i < 25; i++) {
    write(`many/${i}`, '');
    fs.truncateSync(dir(`many/${i}`), 11 * 1024 ** 2);
  }
  const reads = (await examine()).filter(({ check }) => check === 'nx-reads');
  expect(reads).toHaveLength(21);
  expect(reads.find(({ subject }) => subject === '.')?.message).toContain('7 other big files of 76.0 MiB');
});

test('targets that Nx caches over our data', async () => {
  workspace({
    'nx.json': { plugins: ['@sluice/nx'], targetDefaults: { build: { cache: true } } },
    'p/project.json': project('p', {
      make: stage({ outs: ['{projectRoot}/data'] }),
      build: stage({ outs: ['{projectRoot}/built'] }, { cache: undefined }),
      pack: { command: 'x', cache: true, outputs: ['{workspaceRoot}/dist', '{projectRoot}/data/**/*.csv'] },
      all: { command: 'x', cache: true, outputs: ['{projectRoot}/*.txt', '!{projectRoot}/data'] },
      none: { command: 'x', cache: true, outputs: ['{projectRoot}/database', '{options.out}', '{workspaceRoot}/dist'] },
      off: { command: 'x', outputs: ['{projectRoot}/data'] },
    }),
  });
  expect(await found()).toEqual(['problem nx-cache p:all', 'problem nx-cache p:build', 'problem nx-cache p:pack']);
});

test('stages with a dependsOn that replaces what the plugin adds', async () => {
  const reads = (dependsOn?: unknown): object =>
    stage(
      { command: 'x', deps: ['data/raw', '{projectRoot}/clean'], outs: [`{projectRoot}/o${made++}`] },
      dependsOn === undefined ? {} : { dependsOn },
    );
  let made = 0;
  workspace({
    'nx.json': { plugins: ['@sluice/nx'], targetDefaults: { report: { dependsOn: ['^report'] } } },
    'data/project.json': project('data', { raw: stage({ command: 'x', outs: ['{projectRoot}/raw'] }) }),
    'p/project.json': project('p', {
      build: { command: 'x' },
      prepared: { command: 'x', dependsOn: ['clean', '^raw'] },
      clean: stage({ command: 'x', outs: ['{projectRoot}/clean'] }),
      quiet: reads(),
      said: reads(['build', 'clean', { projects: 'data', target: 'raw' }]),
      sugar: reads(['clean', 'data:raw']),
      wide: reads(['clean', { projects: ['tag:x'], target: 'raw' }]),
      spread: reads(['...', 'build']),
      behind: reads(['quiet']),
      further: reads(['prepared']),
      wrong: reads(['build']),
      half: reads(['^raw']),
      other: reads(['clean', { projects: ['p'], target: 'raw' }]),
      report: reads(),
    }),
    'q/project.json': project('q', {
      // What nobody has to run need not be waited for.
      kept: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/kept'] } },
      reader: stage(
        { command: 'x', deps: ['{projectRoot}/kept'], outs: ['{projectRoot}/o'] },
        { dependsOn: ['nothing'] },
      ),
    }),
  });
  expect(await found()).toEqual([
    'problem order p:half',
    'problem order p:other',
    'problem order p:report',
    'problem order p:wrong',
  ]);
  expect((await examine()).find(({ subject }) => subject === 'p:wrong')).toMatchObject({
    message: expect.stringContaining('Nx does not run data:raw, p:clean before it'),
    fix: expect.stringContaining('add {"projects":["data"],"target":"raw"}, "clean".'),
  });
});

test('several versions, also inside of packages and behind links', async () => {
  workspace({
    'node_modules/@sluice/cli/package.json': { version: '1.0.0' },
    'node_modules/@sluice/cli/node_modules/@sluice/engine/package.json': { version: '1.0.1' },
  });
  expect(await found()).toEqual(['problem versions @sluice/*']);
  expect((await examine())[0]?.message).toContain('node_modules/@sluice/cli/node_modules/@sluice/engine 1.0.1');
  fs.rmSync(dir('node_modules/@sluice/cli'), { recursive: true });
  expect(await found()).toEqual([]);

  write('node_modules/.pnpm/nx/node_modules/@sluice/nx/package.json', { version: '1.0.0' });
  write('node_modules/.pnpm/nx/node_modules/@sluice/engine/package.json', { version: '0.9.0' });
  fs.rmSync(dir('node_modules/@sluice/nx'), { recursive: true });
  fs.symlinkSync('../.pnpm/nx/node_modules/@sluice/nx', dir('node_modules/@sluice/nx'));
  expect(await found()).toEqual(['problem versions @sluice/*']);
});

test('a clock that is elsewhere, and nothing left of the probes', async () => {
  workspace();
  const late = await examine({ nowMs: () => Date.now() + 60_000 });
  const early = await examine({ nowMs: () => Date.now() - 60_000 });
  for (const findings of [late, early]) {
    expect(findings.find(({ check }) => check === 'clock')?.message).toContain('60 s away');
  }
  expect((await examine()).filter(({ check }) => check === 'clock')).toEqual([]);
  expect(fs.readdirSync(dir('.sluice'))).toEqual(['.gitignore']);
});

test('no reflinks: what they would save', async () => {
  workspace({
    'p/project.json': project('p', { raw: { executor: '@sluice/nx:track', options: { outs: ['p/raw'] } } }),
  });
  write('p/.gitignore', '/raw\n');
  write('p/raw', 'data');
  const root = { kind: 'blob', digest: digestOf('data'), exec: false, files: 1, bytes: 5 * 1024 ** 2 } as const;
  const outs = new Map([[parseRelPath('p/raw'), root]]);
  write('p/sluice-lock.json', printLock({ stages: new Map([['raw', { fingerprint: undefined, parts: [], outs }]]) }));
  const told = (await examine()).filter(({ check }) => check === 'reflink').map(({ message }) => message);
  expect(told).toEqual(canClone() ? [] : [expect.stringContaining('5.0 MiB twice')]);
  write('sluice.json', { link: ['copy'] });
  expect((await examine()).some(({ check }) => check === 'reflink')).toBe(false);
});

function canClone(): boolean {
  try {
    fs.copyFileSync(dir('nx.json'), dir('clone'), fs.constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  }
}

test('a store that cannot be written is a finding', async () => {
  workspace({ 'sluice.json': { store: 'p/file/store' }, 'p/file': '' });
  write('.gitignore', 'node_modules/\n/.sluice/\n/sluice.local.json\np/file\n');
  expect((await examine()).filter(({ level }) => level === 'problem')).toEqual([
    expect.objectContaining({ check: 'file-system', message: expect.stringContaining('ENOTDIR') }),
  ]);
});

test('an interruption is one', async () => {
  const host = { root: workspace(), env: {}, signal: AbortSignal.abort(), nowMs: Date.now };
  await expect(doctor(host, false)).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
  expect(fs.existsSync(join(dir(), '.sluice'))).toBe(false);
});

test('a clone in which git does not know how locks are merged is told', async () => {
  workspace({ 'p/project.json': project('p', { make: stage({ outs: ['{projectRoot}/data'] }) }) });
  const driver = async (fix: boolean): Promise<readonly DoctorFinding[]> =>
    (await examine({ fix })).filter(({ check }) => check === 'merge-driver');
  expect(await driver(false)).toMatchObject([{ level: 'note', subject: '.git/config', fixable: true, fixed: false }]);
  expect(await driver(true)).toMatchObject([{ fixed: true }]);
  expect(await driver(false)).toEqual([]);
  execFileSync('git', ['-C', dir(), 'config', 'merge.sluice-lock.driver', 'other']);
  expect(await driver(false)).toHaveLength(1);
});

describe('signatures', () => {
  const KEY = 'k'.repeat(32);
  const near = { url: 'file:../near' };
  const ofKey = async (env: Record<string, string> = {}): Promise<readonly DoctorFinding[]> =>
    (await examine({ env })).filter(({ check }) => check === 'signing-key');

  test.each([
    ['sluice.json', { trust: 'strict', remotes: { near, far: near } }, {}, 'near, far'],
    ['one remote', { remotes: { near, far: { ...near, trust: 'strict' } } }, {}, 'far'],
    ['SLUICE_TRUST', { remotes: { near } }, { SLUICE_TRUST: 'strict' }, 'near'],
  ])('that %s asks for need a key', async (_, config, env, subject) => {
    workspace({ 'sluice.json': config });
    expect(await ofKey(env)).toEqual([
      {
        check: 'signing-key',
        level: 'problem',
        subject,
        message: `trust is strict, so only what is signed counts there, and SLUICE_SIGNING_KEY is not set: whatever needs ${subject} ends with ERR_SIGNING_KEY`,
        fix: expect.stringContaining('Set SLUICE_SIGNING_KEY to the key of your team'),
        fixable: false,
        fixed: false,
      },
    ]);
    expect(await ofKey({ ...env, SLUICE_SIGNING_KEY: ' ' })).toHaveLength(1);
    expect(await ofKey({ ...env, SLUICE_SIGNING_KEY: KEY })).toEqual([]);
    // The broker of the action has the key, and its child processes have none.
    expect(await ofKey({ ...env, SLUICE_BROKER: 'unix:/run/b', SLUICE_BROKER_TOKEN: 't' })).toEqual([]);
  });

  test('that nobody asks for need none, and a key that is too short is told without it', async () => {
    workspace();
    expect(await ofKey()).toEqual([]);
    const [finding] = await ofKey({ SLUICE_SIGNING_KEY: 'hunter2' });
    expect(finding).toMatchObject({
      level: 'problem',
      subject: 'SLUICE_SIGNING_KEY',
      message: expect.stringMatching(/^ERR_SIGNING_KEY: key 1 of SLUICE_SIGNING_KEY has fewer than 32 characters/),
    });
    expect(JSON.stringify(finding)).not.toContain('hunter2');
  });
});
