import { existsSync, readFileSync } from 'node:fs';

interface Listed {
  readonly factory: string;
  readonly schema: string;
  readonly description: string;
}

interface Schema {
  readonly properties: Readonly<Record<string, { readonly description?: string; readonly 'x-prompt'?: string }>>;
  readonly required?: readonly string[];
  readonly additionalProperties: boolean;
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(file(path), 'utf8'));
}

function file(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

const manifest = read<Record<string, unknown> & { readonly exports: object; readonly files: readonly string[] }>(
  'package.json',
);
const { generators } = read<{ readonly generators: Readonly<Record<string, Listed>> }>('generators.json');

test('`nx migrate` finds a list of migrations, which is empty', () => {
  expect(manifest['nx-migrations']).toEqual({ migrations: './migrations.json' });
  expect(read('migrations.json')).toEqual({ generators: {} });
});

test('what Nx looks for by name is exported and published', () => {
  for (const name of ['executors.json', 'generators.json', 'migrations.json', 'sluice.schema.json']) {
    expect(manifest.exports).toHaveProperty([`./${name}`], `./${name}`);
    expect(manifest.files).toContain(name);
    expect(existsSync(file(name))).toBe(true);
  }
});

test.each(Object.entries(generators))('the generator %s describes and asks for what it needs', (_, listed) => {
  expect(existsSync(file(listed.factory.replace('./dist/', 'src/').replace(/js$/, 'ts')))).toBe(true);
  expect(listed.description).toMatch(/\.$/);
  const { properties, required = [], additionalProperties } = read<Schema>(listed.schema);
  expect(additionalProperties).toBe(false);
  for (const [name, property] of Object.entries(properties)) {
    expect([name, property.description]).toEqual([name, expect.stringMatching(/[.]$/)]);
    if (required.includes(name)) expect([name, property['x-prompt']]).toEqual([name, expect.stringMatching(/\?/)]);
  }
});
