import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { SluiceError } from '../errors.js';
import { optionsOf, projectNamed, stageTargetNamed } from './find-target.js';
import { readWorkspace, type WorkspaceProjects } from './projects.js';
import { loadProjectsCache } from './projects-cache.js';

let root = '';
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-projects-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function write(path: string, content: unknown): void {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true });
  fs.writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

const track = (options: object = {}): object => ({ executor: '@sluice/nx:track', options });
const stage = (options: object = {}): object => ({ executor: '@sluice/nx:stage', options });

/** One workspace with every rule of Nx that decides what a target is. */
function writeWorkspace(): void {
  write('package.json', {
    name: 'ws-root',
    private: true,
    workspaces: ['packages/*', './deep/**', '!packages/skip'],
    nx: { targets: { rootstage: stage({ outs: ['data'] }) } },
  });
  write('nx.json', {
    analytics: false,
    targetDefaults: {
      train: { options: { env: ['FROM_NAME'], always: true } },
      '@sluice/nx:stage': {
        options: { env: ['FROM_EXECUTOR'], frozen: false },
        configurations: { ci: { always: true } },
      },
      byname: { executor: '@sluice/nx:stage', options: { command: 'x {projectRoot}' } },
      'gl*': { options: { frozen: true } },
      'glob*': { options: { frozen: false } },
      script: { options: { env: ['S'] } },
      filtered: [
        { options: { always: true } },
        { filter: { projects: ['tag:data'] }, options: { materialize: 'lazy' } },
        { filter: { projects: ['!a-name'] }, options: { frozen: true } },
        { filter: { executor: '@sluice/nx:stage' }, options: { cwd: '.' } },
        { filter: { plugin: 'other' }, options: { cwd: 'never' } },
        { executor: 'nx:noop', options: { command: 'never' } },
      ],
    },
  });
  write('packages/a/project.json', {
    name: 'a-name',
    tags: ['data'],
    targets: {
      train: {
        ...stage({ command: 'node {projectRoot}/x', outs: ['{projectRoot}/o'], env: ['...', 'OWN'] }),
        configurations: { fast: { env: ['F', '...'] }, ci: { frozen: true } },
        defaultConfiguration: 'fast',
      },
      byname: { options: { outs: ['{projectRoot}/b'] } },
      glob1: track({ outs: ['{projectRoot}/g'] }),
      filtered: track({ outs: ['{projectRoot}/f'] }),
      other: { executor: 'nx:noop' },
      cmd: { command: 'echo' },
      empty: {},
      script: { options: { outs: ['z'] } },
      spread: { dependsOn: ['train'], '...': true, options: { '...': true, cwd: '.' } },
    },
  });
  write('packages/a/package.json', {
    name: '@x/a',
    nx: {
      name: 'a-nxname',
      targets: {
        train: { options: { deps: ['p'], cwd: '.' } },
        fromPkg: stage({ outs: ['{projectRoot}/q'] }),
        spread: stage({ cwd: 'first', outs: ['{projectRoot}/s'] }),
      },
    },
    scripts: { build: 'tsc', train: 'echo' },
  });
  write(
    'packages/b/project.json',
    '{ // a comment\n "targets": {"t": {"executor": "@sluice/nx:track", "options": {"outs": ["{projectRoot}/x"],},}}}',
  );
  write('packages/b/package.json', { name: '@x/b' });
  write('packages/C_dir/project.json', { targets: { filtered: stage({ command: '{projectName}', outs: [] }) } });
  write('packages/d/package.json', {
    name: '@x/d',
    nx: { name: 'dd', targets: { t: track() } },
    scripts: { byname: 'me' },
  });
  write('packages/e/package.json', { nx: {} });
  write('packages/skip/package.json', { name: 'skipped', nx: { targets: { t: track() } } });
  write('deep/in/here/package.json', { name: 'deep', nx: { targets: { t: track() } } });
  write('outside/package.json', { name: 'outside' });
  write('ignored/project.json', { name: 'ignored' });
  write('nested/ignored2/project.json', { name: 'ignored2' });
  write('nested/keep/project.json', { name: 'keep' });
  write('nested/.gitignore', 'ignored2\n');
  write('dotdir/.hidden/project.json', { name: 'hidden', targets: { t: track() } });
  write('not-for-nx/project.json', { name: 'not-for-nx' });
  write('again/project.json', { name: 'again' });
  write('.gitignore', 'ignored\nagain\nnode_modules\n');
  write('.nxignore', 'not-for-nx\n!again\n');
  fs.symlinkSync(join(root, 'packages/b'), join(root, 'packages/link'));
}

interface NxTarget {
  executor: string;
  options: object;
  configurations: object;
  defaultConfiguration?: string;
}
interface NxProject {
  root: string;
  targets: Record<string, NxTarget>;
}

function nx(...args: string[]): string {
  const home = dirname(createRequire(import.meta.url).resolve('nx/package.json'));
  if (!fs.existsSync(join(root, 'node_modules'))) fs.symlinkSync(dirname(home), join(root, 'node_modules'));
  return execFileSync(process.execPath, [join(home, 'dist/bin/nx.js'), ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: root,
      NX_DAEMON: 'false',
      NX_NO_CLOUD: 'true',
      CI: 'true',
      FORCE_COLOR: '0',
    },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Our view in Nx's words: tokens replaced, only stages. */
function ours(workspace: WorkspaceProjects): Record<string, unknown> {
  return Object.fromEntries(
    [...workspace.projects.values()].map(({ name, root: projectRoot, stages }) => {
      const replaced = JSON.stringify([...stages])
        .replaceAll('{projectRoot}', projectRoot || '.')
        .replaceAll('{projectName}', name);
      return [name, { root: projectRoot || '.', stages: Object.fromEntries(JSON.parse(replaced)) }];
    }),
  );
}

function theirs(projects: Record<string, NxProject>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(projects).map(([name, project]) => {
      const stages = Object.entries(project.targets)
        .filter(([, { executor }]) => executor.startsWith('@sluice/'))
        .map(([target, { executor, options, configurations, defaultConfiguration }]) => {
          return [
            target,
            {
              executor,
              options,
              configurations,
              ...(defaultConfiguration === undefined ? {} : { defaultConfiguration }),
            },
          ];
        });
      return [name, { root: project.root, stages: Object.fromEntries(stages) }];
    }),
  );
}

test('sees the projects and targets that Nx sees', () => {
  writeWorkspace();
  nx('graph', `--file=${join(root, 'graph.json')}`);
  const { graph } = JSON.parse(fs.readFileSync(join(root, 'graph.json'), 'utf8'));
  const nodes = Object.entries<{ data: NxProject }>(graph.nodes).map(([name, { data }]): [string, NxProject] => [
    name,
    data,
  ]);
  const workspace = readWorkspace(root);
  expect(workspace.problems).toEqual([]);
  expect(ours(workspace)).toEqual(theirs(Object.fromEntries(nodes)));
  expect([...workspace.projects.keys()]).toContain('@x/b');

  const shown: NxProject = JSON.parse(nx('show', 'project', 'a-name', '--json'));
  expect(ours(workspace)).toMatchObject(theirs({ 'a-name': shown }));
  expect([...projectNamed(workspace, 'a-name').otherTargets].sort()).toEqual(['build', 'cmd', 'other']);
}, 60_000);

test('a configuration is laid over the options, and the default one is taken by itself', () => {
  writeWorkspace();
  const train = stageTargetNamed(projectNamed(readWorkspace(root), 'a-name'), 'train');
  expect(optionsOf(train)).toMatchObject({ env: ['F'], command: 'node {projectRoot}/x', frozen: false });
  expect(optionsOf(train, 'ci')).toMatchObject({ env: ['FROM_EXECUTOR', 'OWN'], frozen: true, always: true });
  expect(() => optionsOf(train, 'fats')).toThrow('no configuration is named "fats". Did you mean "fast"?');
});

test('names that are not there get a suggestion', () => {
  writeWorkspace();
  const workspace = readWorkspace(root);
  expect(() => projectNamed(workspace, 'a-nmae')).toThrow('no project is named "a-nmae". Did you mean "a-name"?');
  const project = projectNamed(workspace, 'a-name');
  expect(() => stageTargetNamed(project, 'trian')).toThrow('has no target "trian". Did you mean "train"?');
  expect(() => stageTargetNamed(project, 'cmd')).toThrow('the target cmd of project a-name is no stage');
});

test('a broken project does not stand in the way of the others', () => {
  write('nx.json', {});
  write('p/good/project.json', { targets: { t: track() } });
  write('p/bad/project.json', '{ "name": "worse", ');
  write('p/list/project.json', '[]');
  write('p/both/project.json', { targets: { t: { ...track(), command: 'x' } } });
  write('p/one/project.json', { name: 'same' });
  write('p/two/project.json', { name: 'same' });
  const workspace = readWorkspace(root);
  expect([...workspace.projects.keys()]).toEqual(['good']);
  expect(() => projectNamed(workspace, 'worse')).toThrow(/p\/bad\/project\.json is not JSON/);
  expect(() => projectNamed(workspace, 'list')).toThrow('p/list/project.json is not a JSON object');
  expect(() => projectNamed(workspace, 'both')).toThrow('both an executor and a command');
  expect(() => projectNamed(workspace, 'same')).toThrow(
    'p/two/project.json has the same project name as p/one/project.json',
  );
});

test('a broken nx.json is an error of the workspace', () => {
  write('nx.json', '{');
  expect(() => readWorkspace(root)).toThrow(SluiceError);
  write('nx.json', { extends: 'no-such-package/preset.json' });
  expect(() => readWorkspace(root)).toThrow('which is not found');
  write('base.json', { targetDefaults: { t: { options: { always: true } } } });
  write('nx.json', { extends: './base.json' });
  write('p/project.json', { targets: { t: track() } });
  expect(projectNamed(readWorkspace(root), 'p').stages.get('t')?.options).toEqual({ always: true });
});

test('pnpm workspaces and lerna count', () => {
  write('package.json', { name: 'r' });
  write('pnpm-workspace.yaml', 'packages:\n  - "pnpm/*"\n');
  write('lerna.json', {});
  write('pnpm/a/package.json', { name: 'a', nx: {} });
  write('packages/b/package.json', { name: 'b' });
  write('else/c/package.json', { name: 'c' });
  expect([...readWorkspace(root).projects.keys()]).toEqual(['a', 'b']);
});

test('ignored data is not looked into', () => {
  write('nx.json', {});
  write('.gitignore', 'data\n');
  write('p/project.json', { targets: { t: track() } });
  write('p/.gitignore', '/out/\n');
  for (const dir of ['data', 'p/data/x', 'p/out/y']) {
    write(`${dir}/project.json`, { name: dir });
  }
  const cacheFile = join(root, '.sluice/index/projects.json');
  expect([...readWorkspace(root, { cacheFile }).projects.keys()]).toEqual(['p']);
  const looked = loadProjectsCache(cacheFile)?.sightings.filter(({ isDirectory }) => isDirectory);
  expect(looked?.map(({ path }) => path).sort()).toEqual(['', 'p']);
});

describe('the cache', () => {
  let cacheFile = '';
  beforeEach(() => {
    cacheFile = join(root, '.sluice/index/projects.json');
    write('nx.json', {});
    write('p/project.json', { name: 'p', targets: { t: track({ outs: ['a'] }) } });
    write('q/project.json', { name: 'q' });
    age();
  });
  const read = (): WorkspaceProjects => readWorkspace(root, { cacheFile });

  /** Waits until the file system's clock has left the time in which a change could go unseen. */
  function age(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
  }

  test('gives the same answer, and is not written again while nothing changes', () => {
    read();
    // The first write made `.sluice` beside the projects, so the root was looked at too shortly after a change.
    age();
    const first = read();
    const { ino } = fs.statSync(cacheFile);
    expect(read()).toEqual(first);
    expect(fs.statSync(cacheFile).ino).toBe(ino);
    expect(first.projects.get('p')?.stages.get('t')?.options).toEqual({ outs: ['a'] });
    expect(fs.readdirSync(dirname(cacheFile))).toEqual(['projects.json']);
  });

  test.each<[string, () => void, string[]]>([
    ['a new project', () => write('r/s/project.json', {}), ['p', 'q', 's']],
    ['a project that went', () => fs.rmSync(join(root, 'q'), { recursive: true }), ['p']],
    ['another name', () => write('q/project.json', { name: 'z' }), ['p', 'z']],
    ['an ignore file', () => write('.gitignore', 'q\n'), ['p']],
    ['a new package', () => write('package.json', { name: 'root', nx: {} }), ['p', 'q', 'root']],
    ['other data', () => write('p/data/file.csv', 'x'), ['p', 'q']],
  ])('notices %s', (_, change, names) => {
    read();
    change();
    expect([...read().projects.keys()]).toEqual(names);
    expect([...read().projects.keys()]).toEqual(names);
  });

  test('notices a change of the same size in the same moment', () => {
    for (const name of ['b', 'c', 'd', 'e']) {
      write('p/project.json', { name });
      expect([...read().projects.keys()]).toEqual([name, 'q']);
    }
  });

  test('a lock that was replaced costs one look, not a new scan', () => {
    read();
    const before = loadProjectsCache(cacheFile);
    write('p/sluice-lock.json', '{}');
    age();
    read();
    const after = loadProjectsCache(cacheFile);
    expect(after?.projects).toEqual(before?.projects);
    expect(after?.sightings.map(({ content }) => content)).toEqual(before?.sightings.map(({ content }) => content));
    expect(after?.sightings).not.toEqual(before?.sightings);
  });

  test.each(['', 'x', 'sluice-projects-1 sha256:00\n{}'])('is ignored when it is damaged: %j', (damage) => {
    read();
    fs.writeFileSync(cacheFile, damage);
    expect([...read().projects.keys()]).toEqual(['p', 'q']);
    expect(loadProjectsCache(cacheFile)).toBeDefined();
  });

  test('is not needed where nothing can be written', () => {
    write('blocked', 'a file');
    expect([...readWorkspace(root, { cacheFile: join(root, 'blocked/index/projects.json') }).projects.keys()]).toEqual([
      'p',
      'q',
    ]);
  });
});
