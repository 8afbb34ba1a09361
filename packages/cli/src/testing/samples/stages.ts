import type { CommitReport, DoctorReport, ExplainReport, PlanReport, RelockReport, StageStatus } from '@sluice/engine';
import { sampleDigest } from './values.js';

export const STAGE: StageStatus = {
  project: 'people',
  target: 'raw',
  state: 'unchanged',
  reasons: [],
  outs: [
    {
      path: 'people/raw',
      digest: sampleDigest('1a'),
      files: 10,
      bytes: 695_311,
      workspace: 'present',
      store: 'complete',
      stored: { files: 10, bytes: 695_311 },
      remote: {},
    },
  ],
};

export const COMMIT: CommitReport = {
  stages: [
    {
      project: 'people',
      target: 'raw',
      outs: [{ path: 'people/raw', digest: sampleDigest('1a'), files: 10, bytes: 695_311 }],
    },
  ],
  objects: { new: 11, reused: 0 },
  bytes: { new: 695_311, reused: 0 },
  ms: 20,
};

export const EXPLAIN: ExplainReport = {
  project: 'model',
  target: 'train',
  state: 'changed',
  frozen: false,
  reasons: [{ kind: 'param', name: 'params.yaml:lr', before: '0.1', after: '0.2' }],
  fingerprint: { before: sampleDigest('1a'), after: sampleDigest('2b') },
  parts: [
    { kind: 'command', name: '', before: 'node fit.mjs', after: 'node fit.mjs', changed: false },
    { kind: 'dep', name: 'data/x', before: null, after: `tree ${sampleDigest('3c')}`, changed: true },
    { kind: 'env', name: 'SEED', before: sampleDigest('1a'), after: sampleDigest('2b'), changed: true },
    { kind: 'param', name: 'params.yaml:lr', before: '0.1', after: '0.2', changed: true },
  ],
};

const paramChange = { kind: 'param', name: 'people/params.yaml:size', before: '1', after: '2' } as const;

export const PLAN: PlanReport = {
  stages: [
    {
      project: 'people',
      target: 'small',
      action: 'run',
      reasons: [paramChange],
      why: 'people/params.yaml:size 1 -> 2',
      bytes: 695_311,
    },
    { project: 'people', target: 'sum', action: 'may-run', reasons: [], why: 'after people:small', bytes: 0 },
  ],
  unchanged: 1,
  levels: [
    [{ name: 'people:small', stages: ['people:small'], why: 'people/params.yaml:size 1 -> 2' }],
    [{ name: 'people:sum', stages: ['people:sum'], why: 'after people:small' }],
  ],
};

export const RELOCK: RelockReport = {
  stages: [
    { project: 'people', target: 'raw', outcome: 'unchanged', reasons: [] },
    { project: 'people', target: 'small', outcome: 'locked', reasons: [paramChange] },
    {
      project: 'people',
      target: 'sum',
      outcome: 'left',
      reasons: [{ kind: 'new', name: '', before: null, after: null }],
    },
  ],
};

export const DOCTOR: DoctorReport = {
  findings: [
    {
      check: 'git-tracked',
      level: 'problem',
      subject: 'people:raw people/raw',
      message: 'git tracks people/raw/1.jpg',
      fix: 'Run: git rm -r --cached "people/raw"',
      fixable: false,
      fixed: false,
    },
    {
      check: 'preparation',
      level: 'problem',
      subject: 'nx.json',
      message: 'does not load the plugin',
      fix: 'Add it.',
      fixable: true,
      fixed: true,
    },
    {
      check: 'reflink',
      level: 'note',
      subject: 'store and workspace',
      message: 'cannot share bytes',
      fix: 'Use another file system.',
      fixable: false,
      fixed: false,
    },
  ],
  stages: 3,
  ms: 40,
};
