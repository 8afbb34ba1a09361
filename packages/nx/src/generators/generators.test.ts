import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import datasetGenerator from './dataset/generator.js';
import initGenerator from './init/generator.js';
import { ownVersion } from './own-version.js';
import remoteGenerator from './remote/generator.js';
import stageGenerator from './stage/generator.js';
import { type NxTree, treeFiles } from './tree.js';

let tree: Tree;
beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
  tree.root = fs.mkdtempSync(join(os.tmpdir(), 'sluice-generators-'));
  tree.write('model/project.json', JSON.stringify({ name: 'model' }));
});
afterEach(() => fs.rmSync(tree.root, { recursive: true }));

test('the tree of Nx is one of ours', () => {
  const host: NxTree = tree;
  expect(host.exists('nx.json')).toBe(true);
});

/** The paths and contents of all that differs from an empty workspace. */
function changes(): Record<string, string> {
  return Object.fromEntries(tree.listChanges().map(({ path, content }) => [path, String(content)]));
}

function json(path: string): unknown {
  return JSON.parse(tree.read(path, 'utf8') ?? '');
}

test('a link that leads in a circle is left out', () => {
  fs.mkdirSync(join(tree.root, 'a'));
  fs.symlinkSync('..', join(tree.root, 'a/up'));
  fs.writeFileSync(join(tree.root, 'a/project.json'), '{}');
  expect(tree.children('a')).toContain('up');
  expect(treeFiles(tree).list('a')).toEqual(['project.json']);
  expect(treeFiles(tree).list('')).toContain('a/');
});

const STAGE = {
  name: 'train',
  project: 'model',
  command: 'python train.py',
  deps: 'model/train.py,{projectRoot}/src/*.{py,toml}',
  outs: ['{projectRoot}/weights'],
  metrics: '{projectRoot}/metrics.json',
  env: '',
};

test('init writes what a workspace needs, and nothing a second time', async () => {
  await initGenerator(tree, { remote: 'file:../data' });
  expect(json('sluice.json')).toMatchObject({ defaultRemote: 'origin', remotes: { origin: { url: 'file:../data' } } });
  expect(json('nx.json')).toMatchObject({ plugins: ['@sluice/nx'] });
  expect(json('package.json')).toMatchObject({ devDependencies: { '@sluice/cli': ownVersion() } });
  expect(tree.read('.gitignore', 'utf8')).toContain('/.sluice/\n/sluice.local.json\n');
  expect(tree.read('.nxignore', 'utf8')).toContain('.sluice/\n');
  const before = changes();
  await initGenerator(tree, { remote: 'file:../data' });
  expect(changes()).toEqual(before);
});

test('init can leave package.json alone', async () => {
  const before = tree.read('package.json', 'utf8');
  await initGenerator(tree, { skipPackageJson: true });
  expect(tree.read('package.json', 'utf8')).toBe(before);
});

test('stage declares a target and ignores its data, and prepares the workspace', async () => {
  await stageGenerator(tree, STAGE);
  expect(json('model/project.json')).toEqual({
    name: 'model',
    targets: {
      train: {
        executor: '@sluice/nx:stage',
        cache: false,
        options: {
          command: 'python train.py',
          deps: ['{projectRoot}/train.py', '{projectRoot}/src/*.{py,toml}'],
          outs: ['{projectRoot}/weights', { path: '{projectRoot}/metrics.json', cache: false, metrics: true }],
        },
      },
    },
  });
  expect(tree.read('model/.gitignore', 'utf8')).toBe('/weights\n');
  expect(tree.exists('sluice.json')).toBe(true);
  const before = changes();
  await stageGenerator(tree, STAGE);
  expect(changes()).toEqual(before);
});

test('what is wrong is said with code and hint', async () => {
  await expect(stageGenerator(tree, { ...STAGE, project: 'modle' })).rejects.toThrow(
    /^ERR_SELECTOR: no project is named "modle"\. Did you mean "model"\?\n/,
  );
  await expect(stageGenerator(tree, { ...STAGE, outs: '../up' })).rejects.toThrow(/^ERR_STAGE_DEFINITION: .*outs\[0\]/);
  await expect(remoteGenerator(tree, { name: 'x', url: 'ftp://x' })).rejects.toThrow(/^ERR_USAGE: /);
  await expect(datasetGenerator(tree, { name: 'raw', path: 'model/raw', unzip: true })).rejects.toThrow(/--from/);
});

test('dataset with its attributes, in the project around it', async () => {
  await remoteGenerator(tree, { name: 'near', url: 'file:../near' });
  await datasetGenerator(tree, { name: 'raw', path: './model/raw/', mutability: 'append-only', remote: 'near' });
  expect(json('model/project.json')).toEqual({
    name: 'model',
    targets: {
      raw: {
        executor: '@sluice/nx:track',
        cache: false,
        options: { outs: [{ path: '{projectRoot}/raw', remote: 'near', mutability: 'append-only' }] },
      },
    },
  });
});

test('dataset brings a file after the changes are written, and not before', async () => {
  fs.writeFileSync(join(tree.root, 'table.csv'), 'a,b\n');
  const options = { name: 'raw', path: 'model/raw.csv', from: 'table.csv', skipPackageJson: true };
  const after = await datasetGenerator(tree, options);
  expect(fs.existsSync(join(tree.root, 'model'))).toBe(false);
  await after();
  expect(fs.readFileSync(join(tree.root, 'model/raw.csv'), 'utf8')).toBe('a,b\n');
  await (await datasetGenerator(tree, options))();

  fs.writeFileSync(join(tree.root, 'model/raw.csv'), 'other');
  await expect(datasetGenerator(tree, options)).rejects.toThrow(/^ERR_OUT_MODIFIED: model\/raw.csv/);
  await expect(datasetGenerator(tree, { ...options, from: 'absent' })).rejects.toThrow(/^ERR_USAGE: /);
});

test('an archive that is not safe is refused before anything is written', async () => {
  fs.writeFileSync(join(tree.root, 'x.zip'), 'no archive');
  const options = { name: 'raw', path: 'model/raw', from: 'x.zip', unzip: true };
  await expect(datasetGenerator(tree, options)).rejects.toThrow(/^ERR_ARCHIVE_INVALID: /);
  expect(fs.readdirSync(tree.root)).toEqual(['x.zip']);
});

test('remote: the first one is the default, until another one is to be', async () => {
  await remoteGenerator(tree, { name: 'near', url: 'file:../near' });
  await remoteGenerator(tree, { name: 'bucket', url: 's3://bucket/data', region: 'eu-central-1', default: true });
  expect(json('sluice.json')).toMatchObject({
    defaultRemote: 'bucket',
    remotes: { near: { url: 'file:../near' }, bucket: { url: 's3://bucket/data', region: 'eu-central-1' } },
  });
  const before = changes();
  await remoteGenerator(tree, { name: 'near', url: 'file:../near' });
  expect(changes()).toEqual(before);
  await expect(remoteGenerator(tree, { name: 'near', url: 'file:../far' })).rejects.toThrow(/exists already/);
});

describe('formatting', () => {
  const PRETTIER = `
    export const resolveConfigFile = async (path) => path.includes('unconfigured') ? null : '.prettierrc';
    export const resolveConfig = async () => ({ tabWidth: 8 });
    export const getFileInfo = async (path) => ({ ignored: path.endsWith('nx.json') });
    export const format = async (text, { tabWidth }) => JSON.stringify(JSON.parse(text), null, tabWidth) + '\\n';
  `;
  beforeEach(() => {
    const folder = join(tree.root, 'node_modules/prettier');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(join(folder, 'package.json'), '{"name": "prettier", "exports": "./index.mjs"}');
    fs.writeFileSync(join(folder, 'index.mjs'), PRETTIER);
    tree.write('unconfigured/project.json', '{ "name": "unconfigured" }\n');
  });

  test("is that of the workspace's Prettier, with its configuration and ignore file", async () => {
    await stageGenerator(tree, { ...STAGE, project: 'unconfigured', deps: '', outs: 'unconfigured/x', metrics: '' });
    expect(tree.read('sluice.json', 'utf8')).toMatch(/^\{\n {8}"\$schema"/);
    expect(tree.read('nx.json', 'utf8')).not.toMatch(/^ {8}"/m);
    expect(tree.read('unconfigured/project.json', 'utf8')).not.toMatch(/^ {8}"targets"/m);
  });

  test('can be left out', async () => {
    await initGenerator(tree, { skipFormat: true });
    expect(tree.read('sluice.json', 'utf8')).toMatch(/^\{\n {2}"\$schema"/);
  });
});
