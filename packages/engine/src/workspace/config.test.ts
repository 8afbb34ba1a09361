import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { type Config, type Environment, readConfig, remoteNamed } from './config.js';
import { usableLocation } from './remote-url.js';
import { addRemote, removeRemote, setDefaultRemote } from './write-config.js';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(join(os.tmpdir(), 'sluice-config-'));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function write(name: string, content: unknown): void {
  fs.writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
}

function read(shared?: unknown, local?: unknown, env: Environment = {}): Config {
  if (shared !== undefined) write('sluice.json', shared);
  if (local !== undefined) write('sluice.local.json', local);
  return readConfig(root, env);
}

function problemOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message} | ${error.hint}`;
  }
}

describe('reading', () => {
  test('what holds without any file', () => {
    expect(read()).toEqual({
      store: join(root, '.sluice'),
      defaultRemote: undefined,
      remotes: new Map(),
      link: ['reflink', 'copy'],
      durability: 'batch',
      push: 'manual',
      gc: 'manual',
      hooks: {},
      trust: 'areas',
      area: undefined,
      offline: false,
    });
  });

  test('every setting', () => {
    const config = read({
      $schema: 'x',
      store: '../store',
      defaultRemote: 'b',
      remotes: {
        b: {
          url: 's3://bucket/a/b/',
          region: 'r',
          endpoint: 'http://localhost:9000',
          forcePathStyle: true,
          storageClass: 'IA',
          sse: 'AES256',
          concurrency: 4,
          compression: 'none',
          chunking: true,
        },
        a: { url: 'file:data/remote', readOnly: true },
      },
      link: ['copy'],
      durability: 'none',
      push: 'after-run',
      gc: 'after-run',
      hooks: { postCheckout: 'pull', prePush: 'push' },
      trust: 'strict',
    });
    expect(config.store).toBe(join(root, '../store'));
    expect([...config.remotes.keys()]).toEqual(['b', 'a']);
    expect(remoteNamed(config)).toMatchObject({
      name: 'b',
      location: { kind: 's3', bucket: 'bucket', prefix: 'a/b' },
      readOnly: false,
      concurrency: 4,
      compression: 'none',
      chunking: true,
    });
    expect(remoteNamed(config, 'a')).toMatchObject({
      readOnly: true,
      location: { kind: 'file', dir: join(root, 'data/remote') },
    });
    expect(config).toMatchObject({ link: ['copy'], durability: 'none', push: 'after-run', gc: 'after-run' });
    expect(config.hooks).toEqual({ postCheckout: 'pull', prePush: 'push' });
  });

  test('the local file is laid over, and the environment over both', () => {
    const shared = {
      store: 'one',
      remotes: { a: { url: 'file:a', readOnly: true }, b: { url: 'file:b' } },
      defaultRemote: 'a',
    };
    const local = { store: 'two', remotes: { a: { url: 'file:mine' }, c: { url: 'file:c' } } };
    const config = read(shared, local);
    expect(config.store).toBe(join(root, 'two'));
    expect(remoteNamed(config, 'a')).toMatchObject({ url: 'file:mine', readOnly: true });
    expect([...config.remotes.keys()]).toEqual(['a', 'b', 'c']);
    const env = { SLUICE_STORE: '/elsewhere', SLUICE_REMOTE: 'c', SLUICE_AREA: 'pr/7', SLUICE_OFFLINE: '1' };
    expect(readConfig(root, env)).toMatchObject({
      store: '/elsewhere',
      defaultRemote: 'c',
      area: 'pr/7',
      offline: true,
    });
    expect(readConfig(root, { SLUICE_STORE: '', SLUICE_OFFLINE: '0' })).toMatchObject({
      store: join(root, 'two'),
      offline: false,
    });
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'sluice.json: it is not JSON'],
    ['an unknown setting', { remote: {} }, 'remote is not a setting. Did you mean "remotes"?'],
    [
      'an unknown setting of a remote',
      { remotes: { a: { uri: 'x' } } },
      'remotes.a.uri is not a setting. Did you mean "url"?',
    ],
    ['a setting of another kind', { store: 7 }, 'store is not a text'],
    ['a bad choice', { push: 'always' }, 'push is not "manual" or "after-run"'],
    [
      'a bad compression',
      { remotes: { a: { url: 'file:x', compression: 'gzip' } } },
      'compression is not "auto" or "always" or "none"',
    ],
    ['hard links', { link: ['hardlink'] }, 'link is not "reflink" or "copy"'],
    ['a bad name', { remotes: { 'a/b': { url: 'file:x' } } }, 'remotes["a/b"] is not a name'],
    [
      'a bad number',
      { remotes: { a: { url: 'file:x', concurrency: 0 } } },
      'remotes.a.concurrency is not a whole number',
    ],
    ['no url', { remotes: { a: {} } }, 'remotes.a has no url'],
    ['no scheme', { remotes: { a: { url: '/data' } } }, 'sluice.json: remotes.a.url begins with no known scheme'],
    ['a host', { remotes: { a: { url: 'file://host/x' } } }, 'remotes.a.url names a host'],
    ['no bucket', { remotes: { a: { url: 's3://' } } }, 'remotes.a.url names no bucket'],
    [
      'a wrong bucket',
      { remotes: { a: { url: 's3://My_Data/x' } } },
      'remotes.a.url has a name that no bucket can have',
    ],
    ['a key twice', '{"store": "a", "store": "b"}', 'holds the key "store" twice'],
  ])('%s is told with its place', (_, shared, message) => {
    expect(problemOf(() => read(shared))).toContain(`ERR_CONFIG`);
    expect(problemOf(() => read(shared))).toContain(message);
  });

  test.each([
    'accessKeyId',
    'secretAccessKey',
    'sessionToken',
    'password',
    'token',
    'credentials',
    'aws_secret_access_key',
  ])('the key %s is refused without its value', (key) => {
    const problem = problemOf(() => read({ remotes: { a: { url: 's3://bucket', [key]: 'hunter2' } } }));
    expect(problem).toContain(`remotes.a.${key} looks like a credential`);
    expect(problem).not.toContain('hunter2');
  });

  test.each(['s3://key:hunter2@bucket/x', 'https://me:hunter2@host/x'])('%s is refused without its password', (url) => {
    const problem = problemOf(() => read({ remotes: { a: { url } } }));
    expect(problem).toContain('holds a user name or password');
    expect(problem).not.toContain('hunter2');
    expect(problemOf(() => read({ remotes: { a: { url: 's3://bucket', endpoint: url } } }))).not.toContain('hunter2');
  });

  test('text that is no JSON is not quoted', () => {
    for (const text of ['{"token": hunter2}', 'hunter2', '{"a": "hunter2" "b"}', '{"token": "hunter2']) {
      expect(problemOf(() => read(text))).toContain('ERR_CONFIG sluice.json: it is not JSON');
      expect(problemOf(() => read(text))).not.toContain('hunter2');
    }
  });

  test('bad values in the environment', () => {
    expect(problemOf(() => read(undefined, undefined, { SLUICE_AREA: 'mine' }))).toContain(
      'ERR_CONFIG SLUICE_AREA is "mine"',
    );
    expect(problemOf(() => read(undefined, undefined, { SLUICE_OFFLINE: 'maybe' }))).toContain(
      'SLUICE_OFFLINE is "maybe"',
    );
  });

  test('a remote that is not there', () => {
    const config = read({ remotes: { main: { url: 'file:a' } } });
    expect(problemOf(() => remoteNamed(config))).toContain('ERR_REMOTE_UNKNOWN no default remote');
    expect(problemOf(() => remoteNamed(config, 'mian'))).toContain('no remote is named "mian". Did you mean "main"?');
  });
});

test.each([
  ['file:///a/b', '/a/b'],
  ['file:///with%20space/100%25', '/with space/100%'],
  ['file:///with space', '/with space'],
  ['file:/a/b/', '/a/b'],
  ['file:../up', '..'],
])('%s', (url, dir) => {
  const remote = remoteNamed(read({ remotes: { a: { url } } }), 'a');
  expect(usableLocation(remote)).toEqual({ kind: 'file', dir: dir === '..' ? join(root, '../up') : dir });
});

test('https: is known, but not used by this version', () => {
  const url = 'https://host/path';
  const remote = remoteNamed(read({ remotes: { a: { url } } }), 'a');
  expect(problemOf(() => usableLocation(remote))).toContain(
    `ERR_CONFIG remote a (${url}): this version of Sluice cannot use`,
  );
});

test.each([
  ['s3://bucket', { bucket: 'bucket', prefix: '' }],
  ['s3://my.bucket-1/', { bucket: 'my.bucket-1', prefix: '' }],
  ['s3://bucket/a/B=2/c_d.e/', { bucket: 'bucket', prefix: 'a/B=2/c_d.e' }],
])('%s', (url, expected) => {
  const remote = remoteNamed(read({ remotes: { a: { url } } }), 'a');
  expect(usableLocation(remote)).toEqual({ kind: 's3', ...expected });
});

test.each([
  's3://bucket/a/../b',
  's3://bucket/.',
  's3://bucket//a',
  's3://bucket/a b',
  's3://bucket/a%2Fb',
  's3://b/a',
])('%s is refused', (url) => {
  expect(problemOf(() => read({ remotes: { a: { url } } }))).toContain('ERR_CONFIG sluice.json: remotes.a.url');
});

test.each([
  [{ sse: 'rot13' }, 'sse is not "AES256" or "aws:kms"'],
  [{ region: 'eu\r\nx-evil: 1' }, 'region holds other characters'],
  [{ kmsKey: '' }, 'kmsKey holds other characters'],
  [{ storageClass: 'A B' }, 'storageClass holds other characters'],
  [{ anonymous: 1 }, 'anonymous is neither true nor false'],
])('%j of a bucket is refused', (entry, problem) => {
  expect(problemOf(() => read({ remotes: { a: { url: 's3://bucket', ...entry } } }))).toContain(problem);
});

describe('writing', () => {
  const text = (): string => fs.readFileSync(join(root, 'sluice.json'), 'utf8');

  test('the first remote becomes the default, and nothing else moves', () => {
    write('sluice.json', '{"$schema": "x", "push": "after-run",\n "link": ["copy"]}');
    addRemote(root, 'main', { url: 'file:data', readOnly: true });
    addRemote(root, 'other', { url: 's3://bucket', region: 'r' });
    expect(text()).toBe(`{
  "$schema": "x",
  "push": "after-run",
  "link": [
    "copy"
  ],
  "defaultRemote": "main",
  "remotes": {
    "main": {
      "url": "file:data",
      "readOnly": true
    },
    "other": {
      "url": "s3://bucket",
      "region": "r"
    }
  }
}
`);
    setDefaultRemote(root, 'other');
    expect(readConfig(root, {}).defaultRemote).toBe('other');
    removeRemote(root, 'other');
    expect(readConfig(root, {}).defaultRemote).toBeUndefined();
    expect([...readConfig(root, {}).remotes.keys()]).toEqual(['main']);
    expect(fs.readdirSync(root)).toEqual(['sluice.json']);
  });

  test('makes the file where there is none, and twice is once', () => {
    addRemote(root, 'main', { url: 'file:data' });
    const { ino } = fs.statSync(join(root, 'sluice.json'));
    addRemote(root, 'main', { url: 'file:data' });
    expect(fs.statSync(join(root, 'sluice.json')).ino).toBe(ino);
    expect(problemOf(() => addRemote(root, 'main', { url: 'file:else' }))).toContain(
      'ERR_USAGE a remote main exists already',
    );
  });

  test('what cannot be is not written', () => {
    expect(problemOf(() => addRemote(root, '../x', { url: 'file:a' }))).toContain('ERR_USAGE');
    expect(problemOf(() => addRemote(root, '__proto__', { url: 'file:a' }))).toContain('ERR_USAGE');
    expect(problemOf(() => addRemote(root, 'x', { url: 'ftp://a' }))).toContain(
      'the URL of remote x begins with no known scheme',
    );
    expect(problemOf(() => removeRemote(root, 'x'))).toContain('ERR_REMOTE_UNKNOWN');
    expect(problemOf(() => setDefaultRemote(root, 'x'))).toContain('ERR_REMOTE_UNKNOWN');
    expect(fs.existsSync(join(root, 'sluice.json'))).toBe(false);
    write('sluice.json', '{ broken');
    expect(problemOf(() => addRemote(root, 'x', { url: 'file:a' }))).toContain('ERR_CONFIG');
    expect(text()).toBe('{ broken');
  });

  test('keeps the mode of the file, and the link that it is', () => {
    fs.mkdirSync(join(root, 'real'));
    fs.writeFileSync(join(root, 'real/config.json'), '{}', { mode: 0o600 });
    fs.symlinkSync('real/config.json', join(root, 'sluice.json'));
    addRemote(root, 'a', { url: 'file:a' });
    expect(fs.lstatSync(join(root, 'sluice.json')).isSymbolicLink()).toBe(true);
    expect(fs.statSync(join(root, 'real/config.json')).mode & 0o777).toBe(0o600);
    expect(text()).toContain('"a"');
  });
});

describe('SLUICE_REMOTE as a URL', () => {
  test('is a remote that nothing configures', () => {
    const config = read({ remotes: { main: { url: 'file:data' } } }, undefined, { SLUICE_REMOTE: 'actions-cache:' });
    expect(remoteNamed(config)).toMatchObject({ url: 'actions-cache:', location: { kind: 'actions-cache' } });
    expect([...config.remotes.keys()]).toContain('main');
  });

  test('of a configured remote means that one', () => {
    const remotes = { main: { url: 's3://bucket/data', region: 'eu' } };
    expect(remoteNamed(read({ remotes }, undefined, { SLUICE_REMOTE: 's3://bucket/data' }))).toMatchObject({
      region: 'eu',
    });
  });

  test('is told when it is wrong, without what may be a password', () => {
    expect(problemOf(() => read({}, undefined, { SLUICE_REMOTE: 's3://user:secret@bucket' }))).toMatch(
      /^ERR_CONFIG (?!.*secret)/,
    );
  });
});
