import { childEnv } from './child-env.js';
import { type Inputs, parseInputs } from './inputs.js';
import { mirrorsOf } from './mirrors.js';
import { nxArguments } from './nx-command.js';
import { splitWords } from './split-words.js';

function parse(inputs: Record<string, string>): Inputs {
  return parseInputs(
    Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
  );
}

test('nothing given is every stage of the workspace, pushed where that may be', () => {
  expect(parse({ targets: '', push: ' ' })).toMatchObject({
    targets: [],
    push: 'auto',
    gc: 'auto',
    strict: false,
    trust: 'areas',
    workingDirectories: ['.'],
  });
  expect(nxArguments(parse({}), ['a', 'b'])).toEqual(['run-many', '--targets=a,b']);
  expect(() => nxArguments(parse({}), [])).toThrow('the workspace has no stages');
});

test('lists, numbers and words become arguments of Nx', () => {
  const inputs = parse({
    targets: 'a, b\nc',
    projects: 'p',
    configuration: 'gpu',
    parallel: '3',
    args: `--x "y z" --q='1 2'`,
  });
  expect(nxArguments(inputs, [])).toEqual([
    'run-many',
    '--targets=a,b,c',
    '--projects=p',
    '--configuration=gpu',
    '--parallel=3',
    '--x',
    'y z',
    '--q=1 2',
  ]);
  const affected = parse({ affected: 'TRUE', base: 'origin/main', targets: 'a' });
  expect(nxArguments(affected, [])).toEqual(['affected', '--targets=a', '--base=origin/main']);
});

test('several remotes are named with the nearest first', () => {
  expect(parse({ remote: 's3://bucket' })).toMatchObject({ remote: 's3://bucket', fartherRemotes: [] });
  const inputs = parse({ remote: 'actions-cache:, main' });
  expect(inputs).toMatchObject({ remote: 'actions-cache:', fartherRemotes: ['main'] });
  const remotes = [
    { name: 'main', url: 's3://bucket', default: false, readOnly: false },
    { name: 'environment', url: 'actions-cache:', default: true, readOnly: false },
  ];
  expect(mirrorsOf({ remotes: () => remotes }, inputs)).toEqual(['environment', 'main']);
  expect(mirrorsOf({ remotes: () => remotes }, parse({ remote: 'main' }))).toBeUndefined();
  expect(() => mirrorsOf({ remotes: () => remotes }, parse({ remote: 'main, other' }))).toThrow(
    'no remote is named "other"',
  );
});

test.each([
  [{ strict: 'yes' }, 'input strict'],
  [{ parallel: '-1' }, 'input parallel'],
  [{ gc: 'all' }, 'input gc'],
  [{ args: '"open' }, 'input args'],
  [{ base: 'main' }, 'means nothing without'],
  [{ affected: 'true', projects: 'p' }, 'input projects'],
  [{ command: 'make', targets: 'a' }, 'input targets'],
  [{ 'pass-env': 'A=B' }, 'no name of a variable'],
  [{ 'pass-env': 'ACTIONS_RUNTIME_TOKEN' }, 'never passed on'],
  [{ 'pass-env': 'GITHUB_OUTPUT' }, 'never passed on'],
  [{ 'pass-env': 'SLUICE_SIGNING_KEY' }, 'never passed on'],
  [{ trust: 'none' }, 'input trust'],
])('%j is refused', (inputs, message) => {
  expect(() => parse(inputs)).toThrow(message);
});

test('all that is wrong is told at once', () => {
  expect(() => parse({ push: 'x', gc: 'y', parallel: 'z' })).toThrow(/input parallel[\s\S]*input push[\s\S]*input gc/);
});

test('words are split as a shell does', () => {
  expect(splitWords('')).toEqual([]);
  expect(splitWords(` a  'b c'd "" `)).toEqual(['a', 'b cd', '']);
  expect(splitWords("a 'b")).toBeUndefined();
});

test('the environment of what runs has no secrets of the job, and those of the cloud only where that is said', () => {
  const env = {
    PATH: '/bin',
    AWS_REGION: 'eu',
    AWS_SESSION_TOKEN: 's',
    AWS_SECRET_ACCESS_KEY: 'k',
    ACTIONS_CACHE_URL: 'u',
    INPUT_TOKEN: 't',
    STATE_roots: '[]',
    GITHUB_ENV: 'f',
    GITHUB_SHA: 'abc',
    UNSET: undefined,
  };
  expect(childEnv(env, [])).toEqual({ PATH: '/bin', AWS_REGION: 'eu', GITHUB_SHA: 'abc' });
  expect(childEnv(env, ['AWS_SESSION_TOKEN', 'GITHUB_ENV'])).toMatchObject({ AWS_SESSION_TOKEN: 's' });
  expect(childEnv(env, ['GITHUB_ENV'])).not.toHaveProperty('GITHUB_ENV');
});
