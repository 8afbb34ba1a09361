import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { digestOf } from '../model/digest.js';
import type { Part } from '../model/parts.js';
import { parseRelPath } from '../model/path.js';
import { paramPart, paramValue, readParamFile } from './params.js';
import type { Param } from './stage.js';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(join(os.tmpdir(), 'sluice-params-'));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

async function readParams(params: readonly Param[]): Promise<Part[]> {
  const parts: Part[] = [];
  for (const param of params) {
    parts.push(paramPart(param, await paramValue(param.file, await readParamFile(root, param.file))));
  }
  return parts;
}

async function partOf(name: string, content: string | Buffer, key?: string): Promise<string | undefined> {
  fs.writeFileSync(join(root, name), content);
  const [part] = await readParams([{ file: parseRelPath(name), key }]);
  return part?.value;
}

async function problemOf(name: string, content: string | Buffer | undefined, key?: string): Promise<string> {
  if (content !== undefined) fs.writeFileSync(join(root, name), content);
  try {
    await readParams([{ file: parseRelPath(name), key }]);
    return 'none';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message} | ${error.hint}`;
  }
}

test('parts are named by file and key, in their order', async () => {
  fs.writeFileSync(join(root, 'p.yaml'), 'lr: 0.1\nmodel:\n  layers: [{size: 3}]\n');
  fs.writeFileSync(join(root, 'q.toml'), '[a]\nb = 1');
  const [yaml, toml] = [parseRelPath('p.yaml'), parseRelPath('q.toml')];
  expect(
    await readParams([
      { file: yaml, key: 'model.layers[0].size' },
      { file: yaml, key: 'lr' },
      { file: toml, key: 'a' },
      { file: toml, key: undefined },
    ]),
  ).toEqual([
    { kind: 'param', name: 'p.yaml:model.layers[0].size', value: '3' },
    { kind: 'param', name: 'p.yaml:lr', value: '0.1' },
    { kind: 'param', name: 'q.toml:a', value: '{"b":1}' },
    { kind: 'param', name: 'q.toml', value: digestOf('{"a":{"b":1}}') },
  ]);
});

test('the same value is the same in every format, whatever its comments, spaces and order', async () => {
  const expected = digestOf('{"a":[1,2.5,true,null],"b":{"c":"x"}}');
  expect(await partOf('a.yaml', '# comment\nb: {c: x}\na:\n  - 1\n  - 2.5\n  - true\n  - null\n')).toBe(expected);
  expect(await partOf('a.yml', '\ufeffb:\n  c: "x"\na: [1.0, 25e-1, true, ~]\n')).toBe(expected);
  expect(await partOf('a.JSON', '{"b": {"c": "\\u0078"},\n "a": [1, 2.50, true, null]}')).toBe(expected);
  expect(await partOf('b.toml', '# comment\nx = "é"\nn = 0x10')).toBe(digestOf('{"n":16,"x":"é"}'));
});

test.each([
  ['a date of TOML', 'p.toml', 'd = 2001-02-03', 'd', '"2001-02-03"'],
  ['a time of TOML', 'p.toml', 'd = 2001-02-03T04:05:06+02:00', 'd', '"2001-02-03T04:05:06.000+02:00"'],
  ['a date of YAML', 'p.yaml', 'd: 2001-02-03', 'd', '"2001-02-03"'],
  ['not a number', 'p.yaml', 'd: .nan', 'd', 'NaN'],
  ['infinity', 'p.toml', 'd = -inf', 'd', '-Infinity'],
  ['negative zero', 'p.toml', 'd = -0.0', 'd', '0'],
  ['a big integer', 'p.yaml', 'd: 9007199254740993', 'd', '9007199254740993'],
  ['a big integer of TOML', 'p.toml', 'd = 9007199254740993', 'd', '9007199254740993'],
  ['null', 'p.yaml', 'd:', 'd', 'null'],
  ['a merge key', 'p.yaml', 'base: &b {x: 1}\nd: {<<: *b, y: 2}', 'd', '{"x":1,"y":2}'],
  ['an alias', 'p.yaml', 'base: &b [1]\nd: *b', 'd[0]', '1'],
  ['an empty file', 'p.yaml', '', undefined, digestOf('null')],
  ['size', 'p.json', '{"size": 1}', 'size', '1'],
  ['__proto__', 'p.json', '{"__proto__": {"a": 2}}', '__proto__.a', '2'],
  ['__proto__ in YAML', 'p.yaml', '__proto__: 3', '__proto__', '3'],
  ['constructor', 'p.toml', 'constructor = 4', 'constructor', '4'],
  ['a number as a name', 'p.yaml', '1: {2: x}', '1.2', '"x"'],
  ['an index as a name', 'p.json', '[[5]]', '[0].0', '5'],
])('%s', async (_, name, content, key, expected) => {
  expect(await partOf(name, content, key)).toBe(expected);
});

test('a long value counts by its digest', async () => {
  const long = 'x'.repeat(199);
  expect(await partOf('p.json', JSON.stringify({ a: long }), 'a')).toBe(digestOf(`"${long}"`));
  expect(await partOf('p.json', JSON.stringify({ a: long.slice(1) }), 'a')).toBe(`"${long.slice(1)}"`);
});

test.each<[string, string, string | Buffer | undefined, string | undefined, string]>([
  ['a missing file', 'no.yaml', undefined, 'a', 'param file no.yaml does not exist'],
  ['bad YAML', 'p.yaml', 'a: 1\nb: [1\n', undefined, 'at line 3'],
  ['a key twice', 'p.yaml', 'a: 1\na: 2', undefined, 'Map keys must be unique at line 2'],
  ['bad JSON', 'p.json', '{\n"a": 1,\n}', undefined, '(line 3'],
  ['bad TOML', 'p.toml', 'a = 1\nb =', undefined, '(line 2)'],
  ['two documents', 'p.yaml', 'a: 1\n---\nb: 2', undefined, 'it holds several documents'],
  ['no UTF-8', 'p.yaml', Buffer.from([0x61, 0x3a, 0xff]), undefined, 'is not UTF-8 text'],
  [
    'a missing key',
    'p.yaml',
    'lrate: 1\nn: 2',
    'lrat',
    'has no key "lrat". Did you mean "lrate"? | In the file are: lrate, n.',
  ],
  [
    'a missing deep key',
    'p.yaml',
    'a: {b: {c: 1}}',
    'a.b.d',
    'has no key "a.b.d". Did you mean "c"? | In "a.b" are: c.',
  ],
  ['a key of a text', 'p.yaml', 'a: text', 'a.b', 'In "a" is "text".'],
  ['an index too high', 'p.yaml', 'a: [1, 2]', 'a[2]', 'In "a" is a list of 2: write [0] to [1].'],
  ['an inherited key', 'p.json', '{"a": 1}', 'toString', 'has no key "toString"'],
  ['a circle', 'p.yaml', 'a: &a [1, *a]', undefined, 'nests without end'],
])('%s is told with its place', async (_, name, content, key, message) => {
  expect(await problemOf(name, content, key)).toContain('ERR_PARAM');
  expect(await problemOf(name, content, key)).toContain(message);
});

test('a bomb of aliases is refused', async () => {
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n';
  for (let at = 1; at < 12; at++)
    bomb += `a${at}: &a${at} [${Array(9)
      .fill(`*a${at - 1}`)
      .join(', ')}]\n`;
  expect(await problemOf('p.yaml', bomb)).toContain('alias');
});

test('a directory is no param file', async () => {
  fs.mkdirSync(join(root, 'd.yaml'));
  expect(await problemOf('d.yaml', undefined)).toContain('is a directory');
});
