import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAct } from '../scripts/act/install.mjs';
import { ROOT } from '../scripts/run-tool.mjs';
import { pipelineWorkspace } from './harness/pipeline.js';
import { expectCode, start } from './harness/process.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

/** Real workflows: `act` reads them as GitHub does, runs their steps as a runner does, and has a cache server of version 1. It asks the network for nothing here. */
let act: string;
/** Of `act`, which knows no spaces in paths. */
let home: string;

beforeAll(async () => {
  act = await installAct();
  home = mkdtempSync(join(tmpdir(), 'sluice-act-'));
}, 600_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const ACTIONS = ['action.yml', 'restore/action.yml', 'plan/action.yml'];

const WORKFLOW = `
on: push
permissions:
  contents: read
jobs:
  data:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: cp -al "$INSTALLED" node_modules || cp -a "$INSTALLED" node_modules
      - id: data
        uses: ./
        with:
          args: --output-style=static
      - run: |
          echo "ran=$RAN restored=$RESTORED failed=$FAILED in $AREA"
          test -s p/report.txt
        env:
          RAN: \${{ steps.data.outputs.stages-ran }}
          RESTORED: \${{ steps.data.outputs.stages-restored }}
          FAILED: \${{ steps.data.outputs.stages-failed }}
          AREA: \${{ steps.data.outputs.area }}
      - uses: ./restore
        with:
          command: test -s p/report.txt
      - uses: ./plan
`;

story(
  'a workflow that uses the action runs its stages, and the next one restores them from the cache server',
  async () => {
    const workspace = await pipelineWorkspace();
    try {
      for (const name of [...ACTIONS, 'dist']) cpSync(join(ROOT, name), workspace.path(name), { recursive: true });
      workspace.write({
        '.github/workflows/data.yml': WORKFLOW,
        'event.json': { repository: { default_branch: 'main', full_name: 'acme/data' } },
      });
      await workspace.git('remote', 'add', 'origin', 'https://github.com/acme/data.git');
      await workspace.commitAll('Use the action');
      expect(await push(workspace)).toContain('ran=3 restored=0 failed=0 in trusted');
      expect(await push(workspace)).toContain('ran=0 restored=3 failed=0 in trusted');
    } finally {
      workspace.delete();
    }
  },
);

/** Runs the workflow of a push to `main` in a checkout of its own. */
async function push(workspace: Workspace): Promise<string> {
  const settings = {
    '--platform': 'ubuntu-latest=-self-hosted',
    '--env': `INSTALLED=${workspace.path('node_modules')}`,
    '--eventpath': workspace.path('event.json'),
    '--cache-server-addr': '127.0.0.1',
    '--cache-server-path': join(home, 'cache'),
    // Without a server for artifacts there is no token of the job.
    '--artifact-server-addr': '127.0.0.1',
    '--artifact-server-port': '0',
    '--artifact-server-path': join(home, 'artifacts'),
    '--action-cache-path': join(home, 'checkouts'),
  };
  const args = ['push', '--action-offline-mode', ...Object.entries(settings).flat()];
  return expectCode(await workspace.try(act, ...args), 0, 'act push').output;
}

story('the workflows of this repository and of its pages are what GitHub takes, with inputs that exist', async () => {
  const dir = join(home, 'workflows');
  mkdirSync(dir);
  cpSync(join(ROOT, '.github/workflows'), dir, { recursive: true });
  const snippets = ['README.md', 'docs/github-action.md'].flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
      .map(([, text = '']) => text)
      .filter((text) => text.includes('uses:')),
  );
  expect(snippets.length).toBeGreaterThan(4);
  for (const [at, text] of snippets.entries()) writeFileSync(join(dir, `snippet-${at}.yml`), wholeWorkflow(text));
  const env = { PATH: process.env.PATH ?? '', HOME: home };
  const validated = await start(act, ['--validate', '--strict', '--workflows', dir], { cwd: home, env }).ended;
  expectCode(validated, 0, 'act --validate');
  for (const text of snippets) expect(unknownInputs(text)).toEqual([]);
});

/** A page shows only what matters: a job, its steps, or some of them. */
function wholeWorkflow(text: string): string {
  const lines = text.trimEnd().split('\n');
  const margin = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  const snippet = lines.map((line) => line.slice(margin)).join('\n');
  const whole = snippet.startsWith('- ') ? `steps:\n${snippet.replace(/^/gm, '  ')}` : snippet;
  const at = whole.search(/^steps:/m);
  const job =
    at < 0
      ? whole
      : `${whole.slice(0, at)}jobs:\n  data:\n    runs-on: ubuntu-latest\n${whole.slice(at).replace(/^/gm, '    ')}`;
  return /^on:/m.test(job) ? job : `on: push\n${job}`;
}

/** Inputs that a snippet gives to our actions and that they do not have. */
function unknownInputs(text: string): string[] {
  const uses = /uses: OWNER\/sluice(\/\w+)?@\S+(?:\n +id: .*)?\n( +)with:\n((?:\2 +[\w-]+:.*\n)+)/g;
  return [...text.matchAll(uses)].flatMap(([, dir = '', , inputs = '']) => {
    const action = readFileSync(join(ROOT, `.${dir}`, 'action.yml'), 'utf8').split(/^outputs:/m)[0] ?? '';
    return [...inputs.matchAll(/^ +([\w-]+):/gm)]
      .map(([, name = '']) => name)
      .filter((name) => !new RegExp(`^  ${name}:$`, 'm').test(action));
  });
}
