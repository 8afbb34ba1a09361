import { statSync } from 'node:fs';
import type { DoctorReport, StatusReport } from '@sluice/engine';
import { zipBytes } from '../packages/engine/src/testing/zip-bytes.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

const ARCHIVE = zipBytes([
  { name: 'people/', mode: 0o040755 },
  { name: 'people/1.txt', content: 'Ada\n' },
  { name: 'people/2.txt', content: 'Grace\n' },
  { name: 'tools/list.sh', content: '#!/bin/sh\nls\n', mode: 0o100755 },
]);

const STAGE = [
  'g',
  '@sluice/nx:stage',
  'count',
  '--project=people',
  '--command=cat raw/people/*.txt | wc -l > count.txt && echo \'{"n": 2}\' > metrics.json',
  '--deps=people/raw',
  '--outs={projectRoot}/count.txt',
  '--metrics={projectRoot}/metrics.json',
  '--env=SEED',
  '--env=OTHER',
];

const DATASET = [
  'g',
  '@sluice/nx:dataset',
  'raw',
  '--project=people',
  '--projectRoot=people',
  '--path=people/raw',
  '--from=people.zip',
  '--unzip',
  '--mutability=append-only',
];

async function changes(): Promise<string> {
  return await w.git('status', '--porcelain', '--untracked-files=all');
}

story('from an empty workspace to a pipeline that runs, each generator twice', async () => {
  w = await createWorkspace({ 'people.zip': ARCHIVE });
  await w.nx('g', '@sluice/nx:init', '--dry-run');
  expect(await changes()).toBe('');

  await w.nx('g', '@sluice/nx:init');
  const changed = (await changes()).split('\n').map((line) => line.slice(3));
  expect(changed.sort()).toEqual(['', '.gitattributes', '.gitignore', '.nxignore', 'nx.json', 'sluice.json']);
  expect(await w.git('config', '--local', 'merge.sluice-lock.driver')).toContain('merge-driver');
  await w.commitAll('Prepared');
  await w.nx('g', '@sluice/nx:init');
  await w.sluice('init');
  expect(await changes()).toBe('');
  expect(JSON.parse(w.read('nx.json')).plugins).toEqual(['@sluice/nx']);
  const schema = JSON.parse(w.read('sluice.json')).$schema;
  expect(JSON.parse(w.read(schema)).title).toBe('Sluice configuration');

  await w.nx(...DATASET, '--dry-run');
  expect(await changes()).toBe('');
  expect(w.exists('people')).toBe(false);
  for (let i = 0; i < 2; i++) {
    await w.nx(...DATASET);
    await w.nx(...STAGE);
    await w.nx('g', '@sluice/nx:remote', 'origin', 'file:../remote');
    if (i === 0) await w.commitAll('Generated');
  }
  expect(await changes()).toBe('');
  expect(w.read('people/raw/people/2.txt')).toBe('Grace\n');
  expect(statSync(w.path('people/raw/tools/list.sh')).mode & 0o100).toBe(0o100);
  expect(JSON.parse(w.read('people/project.json')).targets.count.options).toMatchObject({
    deps: ['{projectRoot}/raw'],
    env: ['SEED', 'OTHER'],
  });
  expect(w.read('people/.gitignore')).toBe('/raw\n/count.txt\n');

  await w.nx('run', 'people:raw');
  expect(await w.nx('run', 'people:count')).toContain('made 2 files');
  expect(w.read('people/count.txt').trim()).toBe('2');
  expect(await w.nx('run', 'people:count')).toContain('unchanged');
  await w.sluice('push');
  expect(await w.json<StatusReport>('status', '--remote')).toMatchObject({
    stages: [
      { target: 'count', state: 'unchanged' },
      { target: 'raw', state: 'unchanged', outs: [{ path: 'people/raw', files: 3, remote: { origin: 'complete' } }] },
    ],
  });
  const { findings } = await w.json<DoctorReport>('doctor');
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
});

story('what cannot be generated is told with its code, and nothing is written', async () => {
  w = await createWorkspace({
    'people/project.json': { name: 'people' },
    'bad.zip': zipBytes([{ name: '../../escaped.txt', content: 'x' }]),
  });
  for (const [args, text] of [
    [['stage', 'count', '--project=peple', '--command=x'], /ERR_SELECTOR: .* Did you mean "people"\?/],
    [['stage', 'count', '--project=people', '--command=x', '--outs=../x'], /ERR_STAGE_DEFINITION/],
    [['stage', 'count', '--project=people', '--command=x', '--oust=x'], /oust/],
    [['dataset', 'raw', '--path=people/raw', '--from=bad.zip', '--unzip'], /ERR_ARCHIVE_UNSAFE/],
    [['dataset', 'raw', '--path=people/raw', '--remote=far'], /ERR_REMOTE_UNKNOWN/],
    [['remote', 'far', 'ftp://host'], /ERR_USAGE/],
  ] as const) {
    const [generator = '', ...options] = args;
    const ended = await w.try('nx', 'g', `@sluice/nx:${generator}`, ...options);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(text);
    expect(await changes()).toBe('');
  }
  expect(w.exists('../escaped.txt')).toBe(false);
});
