import { parseDeclaredParam, parseKeyPath } from './param-syntax.js';

const project = { name: 'p', root: 'packages/p' };

test.each([
  ['{projectRoot}/params.yaml', 'packages/p/params.yaml', undefined],
  ['params.yaml:lr', 'params.yaml', 'lr'],
  ['a/b.TOML:model.layers[0].size', 'a/b.TOML', 'model.layers[0].size'],
  ['odd:name.json:key', 'odd:name.json', 'key'],
  ['params.yaml:report.json', 'params.yaml', 'report.json'],
  ['params.yaml:a:b', 'params.yaml', 'a:b'],
])('%s', (declared, file, key) => {
  expect(parseDeclaredParam(declared, project)).toEqual({ ok: true, value: { file, key } });
});

test.each([
  'lr',
  'params.ini:lr',
  'params.yaml:',
  'params.yaml:a.',
  'params.yaml:a[x]',
  'params.yaml:a[0',
  '../p.yaml',
  'params.yamlx',
])('%s is refused', (declared) => {
  expect(parseDeclaredParam(declared, project).ok).toBe(false);
});

test('key paths', () => {
  expect(parseKeyPath('a.b-c.0[1][2].d e')).toEqual(['a', 'b-c', '0', 1, 2, 'd e']);
  expect(parseKeyPath('[3].x')).toEqual([3, 'x']);
  expect(parseKeyPath('a.[0]')).toBeUndefined();
});
