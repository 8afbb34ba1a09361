import type { OutStatus, Reason, StageStatus } from '@sluice/engine';
import { STAGE, sampleDigest } from '../testing/samples/index.js';
import { nextStep } from './next-step.js';
import { statusText } from './status.js';

function stage(name: string, rest: Partial<StageStatus> = {}): StageStatus {
  const [project = '', target = ''] = name.split(':');
  return { ...STAGE, project, target, ...rest };
}

function out(path: string, rest: Partial<OutStatus> = {}): OutStatus {
  return {
    path,
    digest: sampleDigest('1a'),
    files: 1,
    bytes: 12,
    workspace: 'present',
    store: 'complete',
    stored: { files: 1, bytes: 12 },
    remote: {},
    ...rest,
  };
}

function reason(kind: Reason['kind'], name = '', before: string | null = null, after: string | null = null): Reason {
  return { kind, name, before, after };
}

test('stages and outs stand in columns, the last line says what to do', () => {
  const stages = [
    stage('model:train', {
      state: 'changed',
      reasons: [reason('param', 'params.yaml:lr', '0.1', '0.2'), reason('dep', 'src/a.py', 'blob 1', 'blob 2')],
      outs: [
        out('model/metrics.json', { workspace: 'absent', remote: { s3cache: 'down' } }),
        out('model/weights', {
          digest: null,
          files: 0,
          bytes: 0,
          workspace: 'absent',
          store: 'absent',
          remote: { s3cache: 'absent' },
        }),
      ],
    }),
    stage('people:raw'),
  ];
  expect(statusText({ stages }, false)).toBe(
    [
      'model:train  changed    params.yaml:lr 0.1 -> 0.2, dep src/a.py changed',
      '  model/metrics.json  1 file    12 B       workspace absent   store complete  s3cache down',
      '  model/weights                            workspace absent   store absent',
      'people:raw   unchanged',
      '  people/raw          10 files  679.0 KiB  workspace present  store complete',
      '',
      '2 stages: 1 unchanged, 1 changed; next: nx run model:train',
    ].join('\n'),
  );
});

test('of an out that is partly in the store it is said how much', () => {
  const raw = out('people/raw', { files: 10, workspace: 'partial', store: 'partial', stored: { files: 3, bytes: 36 } });
  expect(statusText({ stages: [stage('people:raw', { outs: [raw] })] }, false)).toContain(
    'workspace partial  store partial (3 of 10 files)',
  );
});

test('all reasons are shown only when asked for', () => {
  const reasons = ['a', 'b', 'c', 'd'].map((name) => reason('dep', name, '1', '2'));
  const stages = [stage('p:t', { state: 'changed', reasons })];
  expect(statusText({ stages }, false)).toContain('dep c changed and 1 more');
  expect(statusText({ stages }, true)).toContain('dep c changed, dep d changed');
});

test('a workspace without stages says how to make one', () => {
  expect(statusText({ stages: [] }, false)).toContain('@sluice/nx:stage');
});

test('a file name cannot write over the screen', () => {
  const stages = [stage('p:t', { outs: [out('a\u001b[2J\nb')] })];
  expect(statusText({ stages }, false)).toContain('a\\u001b[2J\\nb');
});

const upstream = reason('upstream', 'data/x', null, 'data:make');
const fresh = reason('new');
const modified = reason('out', 'data/x', 'sha256:1', 'sha256:2');
const param = reason('param', 'p.yaml', '1', '2');

test.each<[string, StageStatus[], string]>([
  ['all is well', [stage('p:t')], 'nothing to do'],
  ['it never ran', [stage('p:t', { state: 'new', reasons: [fresh] })], 'next: nx run p:t'],
  ['a param changed', [stage('p:t', { state: 'changed', reasons: [param] })], 'next: nx run p:t'],
  [
    'data was edited',
    [stage('p:t', { state: 'changed', reasons: [modified], outs: [out('data/x', { workspace: 'modified' })] })],
    'next: nx run p:t (or sluice commit --force p:t, to keep what lies there)',
  ],
  [
    'one waits for another',
    [stage('a:x', { state: 'new', reasons: [upstream] }), stage('b:y', { state: 'changed', reasons: [param] })],
    'next: nx run b:y',
  ],
  ['the producer has no result', [stage('a:x', { state: 'new', reasons: [upstream] })], 'next: nx run data:make'],
  [
    'a dep is not there',
    [stage('a:x', { state: 'new', reasons: [fresh, reason('dep', 'data/in.csv')] })],
    'next: make data/in.csv, which is not there',
  ],
  ['a result is known', [stage('p:t', { state: 'restorable', reasons: [param] })], 'next: nx run p:t'],
  [
    'a remote lacks it',
    [stage('p:t', { outs: [out('a', { files: 10, bytes: 695_311, remote: { s3cache: 'absent' } })] })],
    '10 files not pushed (679.0 KiB); next: sluice push',
  ],
  [
    'it lies in the store',
    [stage('p:t', { outs: [out('a', { workspace: 'absent' })] })],
    '1 out reference-only; sluice checkout brings it',
  ],
  [
    'it lies on a remote',
    [stage('p:t', { outs: [out('a', { workspace: 'absent', store: 'absent' }), out('b', { workspace: 'partial' })] })],
    '2 outs reference-only; sluice pull brings them',
  ],
])('what to do when %s', (_name, stages, expected) => expect(nextStep(stages)).toBe(expected));

test('what a remote has is not known while it is down', () => {
  const outs = [out('p/a', { remote: { near: 'complete', far: 'down' } }), out('p/b', { remote: { far: 'down' } })];
  expect(nextStep([stage('p:t', { outs })])).toBe('nothing to do here; what is on far is not known');
  expect(nextStep([stage('p:t', { outs: [out('p/a', { remote: { near: 'complete' } })] })])).toBe('nothing to do');
});
