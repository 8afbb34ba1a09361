import { memoryFiles } from '../testing/memory-files.js';
import { initWorkspace } from './init.js';

const EVERYTHING = { remote: 'file:../data', plugin: true, cli: '1.2.3' };

test('everything that is missing is written, and a second time nothing', () => {
  const files = memoryFiles({ 'nx.json': {}, 'package.json': { name: 'w' }, '.gitignore': 'node_modules/' });
  expect(initWorkspace('/w', files, EVERYTHING).written).toEqual([
    'sluice.json',
    '.gitattributes',
    '.gitignore',
    '.nxignore',
    'nx.json',
    'package.json',
  ]);
  expect(files.json('sluice.json')).toEqual({
    $schema: './node_modules/@sluice/nx/sluice.schema.json',
    defaultRemote: 'origin',
    remotes: { origin: { url: 'file:../data' } },
  });
  expect(files.read('.gitignore')).toBe('node_modules/\n/.sluice/\n/sluice.local.json\n');
  expect(files.read('.nxignore')).toBe('.sluice/\n');
  expect(files.json('nx.json')).toEqual({ plugins: ['@sluice/nx'] });
  expect(files.json('package.json')).toEqual({ name: 'w', devDependencies: { '@sluice/cli': '1.2.3' } });
  const before = new Map(files.all);
  expect(initWorkspace('/w', files, EVERYTHING).written).toEqual([]);
  expect(files.all).toEqual(before);
});

test('what the user wrote stays as it is written: comments, order, line ends', () => {
  const files = memoryFiles({
    'nx.json': '{\r\n\t// ours\r\n\t"plugins": [\r\n\t\t"@nx/js/typescript",\r\n\t],\r\n\t"analytics": false\r\n}\r\n',
    'package.json': '{\n    "devDependencies": { "@nx/js": "1.0.0", "nx": "2.0.0" }\n}\n',
    '.gitignore': 'dist/\r\n/.sluice/\r\n',
    'sluice.json': '{"store": "../store"}',
  });
  expect(initWorkspace('/w', files, { plugin: true, cli: '1.2.3' }).written).toEqual([
    '.gitattributes',
    '.gitignore',
    '.nxignore',
    'nx.json',
    'package.json',
  ]);
  expect(files.read('sluice.json')).toBe('{"store": "../store"}');
  expect(files.read('.gitignore')).toBe('dist/\r\n/.sluice/\r\n/sluice.local.json\r\n');
  expect(files.read('nx.json')).toMatch(/\/\/ ours\r\n\t"plugins": \[\r\n\t\t"@nx\/js\/typescript",\s+"@sluice\/nx"/);
  expect(files.read('nx.json')).not.toMatch(/[^\r]\n/);
  const names = Object.keys((files.json('package.json') as { devDependencies: object }).devDependencies);
  expect(names).toEqual(['@nx/js', '@sluice/cli', 'nx']);
});

test.each([
  [{ plugins: [{ plugin: '@sluice/nx', options: {} }] }, []],
  [{ plugins: ['@sluice/nx'] }, []],
  [{ plugins: [] }, ['nx.json']],
])('the plugin in %j', (nxJson, written) => {
  const files = memoryFiles({ 'nx.json': nxJson });
  expect(initWorkspace('/w', files, { plugin: true }).written.filter((path) => path === 'nx.json')).toEqual(written);
});

test('Nx is not told to load a package that is not there', () => {
  const without = memoryFiles({ 'nx.json': {} });
  expect(initWorkspace('/w', without, {}).written).not.toContain('nx.json');
  const having = memoryFiles({ 'nx.json': {}, 'node_modules/@sluice/nx/package.json': {} });
  expect(initWorkspace('/w', having, {}).written).toContain('nx.json');
});

test('a command that some version is there of is left alone, and nothing is installed without a package.json', () => {
  const files = memoryFiles({ 'nx.json': {}, 'package.json': { dependencies: { '@sluice/cli': 'file:x.tgz' } } });
  expect(initWorkspace('/w', files, { cli: '1.2.3' }).written).not.toContain('package.json');
  expect(initWorkspace('/w', memoryFiles({ 'nx.json': {} }), { cli: '1.2.3' }).written).not.toContain('package.json');
});

test.each([
  [{ 'sluice.json': '{"stor": 1}' }, {}, 'ERR_CONFIG'],
  [{ 'nx.json': '{' }, { plugin: true }, 'ERR_WORKSPACE'],
  [{ 'package.json': '[]' }, { cli: '1' }, 'ERR_WORKSPACE'],
  [{}, { remote: 'ftp://x' }, 'ERR_USAGE'],
])('%j cannot be prepared', (content, options, code) => {
  expect(() => initWorkspace('/w', memoryFiles(content), options)).toThrow(expect.objectContaining({ code }));
});
