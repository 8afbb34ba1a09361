import { type Engine, ERRORS, type ErrorCode, SluiceError } from '@sluice/engine';
import { fakeEngine } from './testing/fake-engine.js';
import { runMain } from './testing/run-main.js';
import { STAGE, VERIFY } from './testing/samples/index.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** An engine whose `status` fails. */
function failing(error: unknown): ReturnType<typeof fakeEngine> {
  return fakeEngine(() => ({
    status: async () => {
      throw error;
    },
  }));
}

test.each(CODES)('%s ends with its exit code, as a text and as a document', async (code) => {
  const error = new SluiceError(code, 'what and where', { hint: 'what to do', details: { path: 'x' } });
  const text = await runMain(['status'], { engine: failing(error) });
  expect(text).toEqual({ code: ERRORS[code].exit, out: '', err: `${code}: what and where\n  what to do\n` });
  const json = await runMain(['status', '--json'], { engine: failing(error) });
  expect(json).toMatchObject({ code: ERRORS[code].exit, err: '' });
  expect(JSON.parse(json.out)).toEqual({
    schema: 1,
    error: { code, message: 'what and where', hint: 'what to do', details: { path: 'x' } },
  });
});

test('the document of an error always has a hint', async () => {
  const { out } = await runMain(['status', '--json'], { engine: failing(new SluiceError('ERR_HELD', 'p:t is held')) });
  expect(JSON.parse(out).error.hint).toContain('ERR_HELD');
});

test('a bug ends with 70 and shows its stack only to those who ask', async () => {
  const bug = failing(new TypeError('x is not a function'));
  const plain = await runMain(['status'], { engine: bug });
  expect(plain.code).toBe(70);
  expect(plain.err).toMatch(/^ERR_INTERNAL: x is not a function\n.*report it/);
  expect(plain.err).not.toContain('    at ');
  expect((await runMain(['status', '-v'], { engine: bug })).err).toContain('    at ');
  const traced = await runMain(['status', '--json'], { engine: bug, env: { SLUICE_TRACE: '1' } });
  expect(traced.err).toContain('    at ');
  expect(JSON.parse(traced.out)).toMatchObject({ error: { code: 'ERR_INTERNAL' } });
});

test('an interruption ends with 130', async () => {
  const engine = failing(Object.assign(new Error('This operation was aborted'), { name: 'AbortError' }));
  expect((await runMain(['status'], { engine })).code).toBe(130);
});

test('the engine is closed after a failure', async () => {
  const engine = failing(new Error('x'));
  await runMain(['status'], { engine });
  expect(engine.calls.at(-1)).toEqual(['close']);
});

const MISTAKES = [
  ['stats', "unknown command 'stats'", 'Did you mean status?'],
  ['remote lst', "unknown command 'lst'", 'Did you mean list?'],
  ['status --remot', "unknown option '--remot'", 'Did you mean --remote?'],
  ['push --al-tags', "unknown option '--al-tags'", 'Did you mean --all-tags?'],
  ['explain', "missing required argument 'selector'", 'Run `sluice --help`, or `sluice COMMAND --help`.'],
  [
    'init here',
    "too many arguments for 'init'. Expected 0 arguments but got 1.",
    'Run `sluice --help`, or `sluice COMMAND --help`.',
  ],
  [
    '-q -v status',
    "option '-q, --quiet' cannot be used with option '-v, --verbose'",
    'Run `sluice --help`, or `sluice COMMAND --help`.',
  ],
  [
    'gc --records 14',
    "option '--records <age>' argument '14' is invalid. Write an age as 30m, 12h, 14d or 2w.",
    'Run `sluice --help`, or `sluice COMMAND --help`.',
  ],
  [
    'checkout --link symlink',
    "option '--link <kind>' argument 'symlink' is invalid. Allowed choices are reflink, copy, hardlink.",
    'Run `sluice --help`, or `sluice COMMAND --help`.',
  ],
] as const;

test.each(MISTAKES)('sluice %s: %s', async (args, message, hint) => {
  const engine = fakeEngine();
  const text = await runMain(args.split(' '), { engine });
  expect(text).toEqual({ code: 2, out: '', err: `ERR_USAGE: ${message}\n  ${hint}\n` });
  const json = await runMain([...args.split(' '), '--json'], { engine });
  expect(json).toMatchObject({ code: 2, err: '' });
  expect(JSON.parse(json.out)).toEqual({ schema: 1, error: { code: 'ERR_USAGE', message, hint } });
  expect(engine.opened).toEqual([]);
});

test('without a command the help comes on stderr', async () => {
  const { code, out, err } = await runMain([]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^Usage: sluice .*ERR_USAGE: a command is missing/s);
  expect((await runMain(['remote', '--json'])).err).toBe('');
});

test('--cwd names a directory of a workspace', async () => {
  expect(await runMain(['status', '--cwd', 'nowhere'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^ERR_USAGE: --cwd: there is no directory .*nowhere\n/),
  });
  expect(await runMain(['status', '--cwd', '/'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('ERR_WORKSPACE'),
  });
});

test('verify fails with 4 unless everything is repaired, and still tells what it found', async () => {
  expect((await runMain(['verify'])).code).toBe(0);
  const findings = VERIFY.findings.map((finding) => ({ ...finding, repaired: false }));
  const engine = fakeEngine(() => ({ verify: async () => ({ ...VERIFY, findings }) }));
  const text = await runMain(['verify'], { engine });
  expect(text.code).toBe(4);
  expect(text.out).toContain('1 finding, 0 repaired');
  expect(text.err).toBe('ERR_VERIFY_FAILED: 1 finding is not repaired\n  Run `sluice verify --deep --repair`.\n');
  const json = await runMain(['verify', '--json'], { engine });
  expect(json.code).toBe(4);
  expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'ERR_VERIFY_FAILED', details: { findings } } });
});

test('status --exit-code is 1 if a stage is not unchanged', async () => {
  expect((await runMain(['status', '--exit-code'])).code).toBe(0);
  const changed: Partial<Engine> = { status: async () => ({ stages: [STAGE, { ...STAGE, state: 'restorable' }] }) };
  const engine = fakeEngine(() => changed);
  expect((await runMain(['status', '--exit-code'], { engine })).code).toBe(1);
  expect((await runMain(['status'], { engine })).code).toBe(0);
});

test.each([
  ['ERR_REMOTE_DOWN', 3],
  ['ERR_NOT_LOCAL', 4],
] as const)('%s as a warning is a failure with --strict', async (code, exit) => {
  const engine = fakeEngine(({ emit }) => ({
    status: async () => {
      emit?.({ type: 'warning', code, message: 'half of it' });
      return { stages: [STAGE] };
    },
  }));
  expect(await runMain(['status'], { engine })).toMatchObject({ code: 0, err: 'warning: half of it\n' });
  expect(await runMain(['status', '--strict'], { engine })).toMatchObject({ code: exit });
  const { out } = await runMain(['status', '--strict', '--json'], { engine });
  expect(JSON.parse(out)).toMatchObject({ error: { code, message: 'half of it' } });
});
