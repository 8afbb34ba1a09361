import { createWorkspace, type Files, type Workspace } from './workspace.js';

/** `nx.json` of a workspace that has the graph plugin. */
export const WITH_PLUGIN = {
  useDaemonProcess: false,
  analytics: false,
  neverConnectToCloud: true,
  plugins: ['@sluice/nx'],
};

function stage(options: object, rest: object = {}): object {
  return { executor: '@sluice/nx:stage', options, ...rest };
}

/**
 * Three projects whose stages name no other stage: data:raw (by hand) -> @acme/model:features -> :train -> report:page, and report:show, which is no stage.
 */
const PROJECTS: Files = {
  'data/project.json': {
    name: 'data',
    targets: { raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } } },
  },
  'packages/model/project.json': {
    name: '@acme/model',
    targets: {
      features: stage({
        command: 'mkdir f && sort ../../data/raw/a.txt > f/a.txt',
        deps: ['data/raw/a.txt', 'libs/common/**/*.py'],
        outs: ['{projectRoot}/f'],
      }),
      train: stage(
        {
          command: 'cat f/a.txt > w.txt && echo trained',
          deps: ['{projectRoot}/f/*.txt', '{projectRoot}/train.py'],
          params: ['{projectRoot}/params.yaml:lr'],
          outs: ['{projectRoot}/w.txt'],
        },
        { configurations: { gpu: { command: 'cat f/a.txt f/a.txt > w.txt && echo trained on gpu' } } },
      ),
    },
  },
  'report/project.json': {
    name: 'report',
    targets: {
      page: stage({
        command: 'cp ../packages/model/w.txt page.txt',
        deps: ['packages/model/w.txt'],
        outs: ['{projectRoot}/page.txt'],
      }),
      show: {
        executor: 'nx:run-commands',
        cache: false,
        dependsOn: [{ projects: ['@acme/model'], target: 'train' }],
        options: { command: 'cat packages/model/w.txt' },
      },
      broken: stage({ command: 'exit 3', outs: ['{projectRoot}/never'] }),
      'after-broken': stage({ command: 'cp never x', deps: ['{projectRoot}/never'], outs: ['{projectRoot}/x'] }),
    },
  },
  'other/project.json': {
    name: 'other',
    targets: { page: { executor: 'nx:run-commands', options: { command: 'echo other' }, inputs: ['{projectRoot}/*'] } },
  },
  'libs/common/project.json': { name: 'common' },
  'libs/common/a.py': 'pass\n',
  'packages/model/train.py': 'pass\n',
  'packages/model/params.yaml': 'lr: 0.1\n',
};

/** The workspace with its plugin and its data, nothing run yet. */
export async function pluginWorkspace(files: Files = {}): Promise<Workspace> {
  const workspace = await createWorkspace({
    'nx.json': WITH_PLUGIN,
    '.gitignore': 'node_modules/\n.nx/\n.sluice/\n/data/raw\n',
    ...PROJECTS,
    ...files,
  });
  workspace.write({ 'data/raw/a.txt': 'b\na\n' });
  return workspace;
}
