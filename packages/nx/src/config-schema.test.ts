import { readFileSync } from 'node:fs';
import { initWorkspace, SluiceError } from '@sluice/engine';
import { Ajv, type ValidateFunction } from 'ajv';
import fc from 'fast-check';

const schema: {
  readonly properties: Record<string, object>;
  readonly definitions: { readonly remote: { properties: object } };
} = JSON.parse(readFileSync(new URL('../sluice.schema.json', import.meta.url), 'utf8'));
const validate: ValidateFunction = new Ajv({ strict: false }).compile(schema);

/** What the engine says about a configuration; `undefined` when it takes it. */
function problemOf(config: unknown): SluiceError | undefined {
  const text = JSON.stringify(config);
  const files = {
    read: (path: string) => (path === 'sluice.json' ? text : undefined),
    list: () => [],
    write: () => {},
  };
  try {
    initWorkspace('/w', files, { plugin: false });
    return undefined;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_CONFIG') return error;
    throw error;
  }
}

/** The keys that the engine knows, by what it says about one that it does not. */
function knownKeys(config: unknown): string[] {
  return /^Known are: (.*)\.$/.exec(problemOf(config)?.hint ?? '')?.[1]?.split(', ') ?? [];
}

test('schema and parser know the same keys', () => {
  expect(Object.keys(schema.properties).sort()).toEqual(knownKeys({ zzzzzzzz: 1 }).sort());
  const remote = knownKeys({ remotes: { a: { zzzzzzzz: 1 } } });
  expect(Object.keys(schema.definitions.remote.properties).sort()).toEqual(remote.sort());
  expect(remote).toContain('url');
});

const value = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'text',
    'a\0b',
    'batch',
    'none',
    'manual',
    'after-run',
    true,
    false,
    null,
    0,
    1,
    1000,
    1001,
    1.5,
    [],
    {},
    ['copy'],
    ['reflink', 'copy'],
    ['hardlink'],
    'AES256',
    'aws:kms',
    'https://host',
    'http://host/path',
    'https://user@host',
    'ftp://host',
  ),
  fc.string({ maxLength: 3 }),
);
const remote = fc.dictionary(fc.constantFrom(...Object.keys(schema.definitions.remote.properties), 'zzz'), value, {
  maxKeys: 3,
});
const remotes = fc.dictionary(
  fc.oneof(fc.constantFrom('origin', 'a.b-c_1', '-a', 'a b'), fc.string({ maxLength: 3 })),
  fc.oneof({ weight: 5, arbitrary: remote }, value),
  {
    maxKeys: 2,
  },
);
const config = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...Object.keys(schema.properties), 'zzz'), value, { maxKeys: 3 }),
    fc.option(remotes),
  )
  .map(([rest, some]) => (some === null ? rest : { ...rest, remotes: some }));

test('schema and parser agree on every configuration', () => {
  const verdicts = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(config, (candidate) => {
      const problem = problemOf(candidate);
      verdicts[problem === undefined ? 'taken' : 'refused']++;
      expect([candidate, validate(candidate)]).toEqual([candidate, problem === undefined]);
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(verdicts.taken, verdicts.refused)).toBeGreaterThan(100);
});

test('what init writes is valid and leads to this schema', () => {
  let written = '';
  const files = {
    read: () => undefined,
    list: () => [],
    write: (path: string, text: string) => {
      if (path === 'sluice.json') written = text;
    },
  };
  initWorkspace('/w', files, { plugin: false });
  expect(validate(JSON.parse(written))).toBe(true);
  expect(JSON.parse(written).$schema).toBe('./node_modules/@sluice/nx/sluice.schema.json');
});
