import { createWorkspace, type Files, type Workspace } from './workspace.js';

/** The options of the three stages, to be changed by tests. Each command says in `runs.log` that it ran. */
export const PIPELINE = {
  upper: {
    command: 'echo upper >> ../runs.log && tr a-z A-Z < in.txt > upper.txt',
    deps: ['{projectRoot}/in.txt'],
    outs: ['{projectRoot}/upper.txt'],
  },
  count: {
    command:
      'echo count >> ../runs.log && mkdir counted && wc -c < upper.txt > counted/n.txt && echo "$SEED" > counted/seed.txt',
    deps: ['{projectRoot}/upper.txt', '{projectRoot}/notes.md'],
    params: ['{projectRoot}/params.yaml:count.unit'],
    env: ['SEED'],
    outs: ['{projectRoot}/counted'],
  },
  report: {
    command: 'echo report >> ../runs.log && cat counted/n.txt > report.txt && echo \'{"n": 1}\' > metrics.json',
    deps: ['{projectRoot}/counted'],
    params: ['{projectRoot}/params.yaml:report'],
    outs: ['{projectRoot}/report.txt', { path: '{projectRoot}/metrics.json', cache: false, metrics: true }],
  },
};

const PARAMS = 'count:\n  unit: bytes\n  other: 1\nreport:\n  title: none\n';

/** A workspace with the project `p`: upper -> count -> report. */
export async function pipelineWorkspace(): Promise<Workspace> {
  return await createWorkspace({
    ...pipelineProject(),
    'p/in.txt': 'hello\n',
    'p/notes.md': 'A dep of count.\n',
    'p/params.yaml': PARAMS,
    '.gitignore': 'node_modules/\n.nx/\nruns.log\n',
  });
}

/** `project.json` with other options of one stage. */
export function pipelineProject(changes: Partial<Record<keyof typeof PIPELINE, object>> = {}): Files {
  const target = (name: keyof typeof PIPELINE, after?: string): object => ({
    executor: '@sluice/nx:stage',
    cache: false,
    ...(after === undefined ? {} : { dependsOn: [after] }),
    options: { ...PIPELINE[name], ...changes[name] },
  });
  const targets = { upper: target('upper'), count: target('count', 'upper'), report: target('report', 'count') };
  return { 'p/project.json': { name: 'p', targets } };
}

/** What ran since the last call. */
export function takeRuns(workspace: Workspace): string[] {
  if (!workspace.exists('runs.log')) return [];
  const runs = workspace.read('runs.log').trim().split('\n');
  workspace.remove('runs.log');
  return runs;
}
