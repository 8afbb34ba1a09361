import type {
  BlameReport,
  CatReport,
  CheckoutReport,
  CommitReport,
  ConflictReport,
  DiffReport,
  DoctorReport,
  ExplainReport,
  ExportReport,
  FetchReport,
  GcExplanation,
  GcRemoteReport,
  GcReport,
  ImportReport,
  LogReport,
  LsReport,
  MergeLocksReport,
  PlanReport,
  PullReport,
  PushReport,
  RelockReport,
  RemotePush,
  RemoteReport,
  RemoteStatReport,
  ResolveReport,
  StageStatus,
  StoreStat,
  SummaryReport,
  UnlockReport,
  VerifyReport,
} from '@sluice/engine';

/** A digest of one repeated byte. */
export function sampleDigest(byte: string): GcExplanation['digest'] {
  return `sha256:${byte.repeat(32)}` as GcExplanation['digest'];
}

const requests = { head: 1, get: 0, put: 3, list: 0, delete: 0 };

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

export const EXPORT: ExportReport = { to: '/delivery', written: 10, unchanged: 0, bytes: 695_311, ms: 20 };

export const IMPORT: ImportReport = {
  project: 'people',
  target: 'raw',
  path: 'people/raw',
  digest: sampleDigest('1a'),
  files: 10,
  bytes: 695_311,
  changed: true,
  ms: 20,
};

export const CHECKOUT: CheckoutReport = {
  workspace: { written: 2, removed: 1, unchanged: 8 },
  bytes: 1_363_149,
  referenceOnly: [],
  ms: 800,
};

const PUSHED: Omit<RemotePush, 'error'> = {
  remote: 's3cache',
  files: { sent: 2, reused: 5 },
  objects: { sent: 3, reused: 5 },
  bytes: { sent: 160_351, reused: 256_725 },
  requests,
  ms: 800,
};

export const PUSH: PushReport = { ...PUSHED, remotes: [{ ...PUSHED, error: null }], dryRun: false };

export const FETCH: FetchReport = {
  remote: 's3cache',
  files: { received: 2, reused: 0 },
  objects: { received: 3, reused: 0 },
  bytes: { received: 1_363_149, reused: 0 },
  sources: [{ remote: 's3cache', bytes: 1_363_149 }],
  requests: { ...requests, get: 2, put: 0 },
  left: { files: 0, bytes: 0 },
  ms: 800,
};

export const PULL: PullReport = { ...FETCH, workspace: { written: 2, removed: 0, unchanged: 0 } };

export const GC: GcReport = {
  removed: { blobs: 2, trees: 1, bytes: 1_258_291 },
  kept: { blobs: 2, trees: 1, bytes: 1_363_149 },
  keptUnpushed: { blobs: 0, trees: 0, bytes: 0 },
  dryRun: false,
  ms: 12,
};

export const GC_REMOTE: GcRemoteReport = {
  ...GC,
  remote: 's3cache',
  condemned: { blobs: 4, trees: 1, bytes: 2_097_152 },
  dueMs: 86_400_000,
  foreignRoots: 1,
  freed: { objects: 3, bytes: 1_260_000 },
  repacked: { packs: 2, bytes: 524_288 },
  unfinished: [{ key: `shared/blobs/1a/${'0'.repeat(62)}`, bytes: 16_777_216, since: '2026-01-02T03:04:05.000Z' }],
};

export const GC_EXPLANATION: GcExplanation = {
  digest: sampleDigest('1a'),
  keptBy: ['1.jpg of people/raw in people/sluice-lock.json'],
};

export const VERIFY: VerifyReport = {
  findings: [
    {
      where: 'store',
      name: sampleDigest('1a'),
      problem: { code: 'ERR_OBJECT_DAMAGED', message: 'its bytes do not have its digest' },
      repaired: true,
    },
  ],
  checked: { objects: 6, files: 2, bytes: 1_363_149 },
  ms: 40,
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

export const STORE: StoreStat = { objects: 6, blobs: 4, trees: 2, records: 2, bytes: 1_258_291, path: '/w/.sluice' };

export const REMOTES: readonly RemoteReport[] = [
  { name: 'near', url: 'file:../data', default: false, readOnly: true },
  { name: 's3cache', url: 's3://bucket/prefix', default: true, readOnly: false },
];

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

export const REMOTE_STAT: RemoteStatReport = {
  remote: 's3cache',
  blobs: 12,
  trees: 2,
  packs: 3,
  records: 1,
  bytes: 900_000,
  referencedBytes: 855_646,
};

export const LS: LsReport = {
  files: 3,
  bytes: 117_300,
  outs: [
    {
      project: 'people',
      target: 'raw',
      path: 'people/raw',
      digest: sampleDigest('1a'),
      files: 10,
      bytes: 695_311,
      listed: { files: 3, bytes: 117_300 },
      stored: { files: 1, bytes: 300 },
      entries: [
        { path: '1999', kind: 'directory', digest: sampleDigest('2b'), files: 2, bytes: 117_000, stored: false },
        { path: '1999/a\n.jpg', kind: 'file', digest: sampleDigest('3c'), files: 1, bytes: 40_000, stored: false },
        { path: '1999/b.sh', kind: 'executable', digest: sampleDigest('4d'), files: 1, bytes: 77_000, stored: false },
        { path: 'link', kind: 'link', digest: sampleDigest('5e'), files: 1, bytes: 300, stored: true },
      ],
    },
  ],
};

export const CAT: Omit<CatReport, 'chunks'> = {
  project: 'people',
  target: 'raw',
  out: 'people/raw',
  path: '1.jpg',
  digest: sampleDigest('1a'),
  bytes: 5,
  range: { offset: 0, length: 5 },
};

const author = { name: 'Ada', email: 'ada@example.com' };

/** The full name of a commit of one repeated byte, in the type of reports. */
function sampleCommit(byte: string): LogReport['commits'][number]['commit'] {
  return byte.repeat(20) as LogReport['commits'][number]['commit'];
}

const before = { digest: sampleDigest('1a'), files: 10, bytes: 695_311 };

export const LOG: LogReport = {
  shallow: false,
  commits: [
    {
      commit: sampleCommit('c3'),
      parents: [sampleCommit('b2'), sampleCommit('a1')],
      author,
      date: '2026-01-03T10:00:00+01:00',
      subject: 'Merge more faces',
      refs: ['refs/heads/main', 'refs/remotes/origin/main', 'refs/tags/v1'],
      outs: [
        {
          project: 'people',
          target: 'raw',
          path: 'people/raw',
          change: 'modified',
          before,
          after: { digest: sampleDigest('2b'), files: 12, bytes: 855_662 },
          stat: { added: 2, deleted: 0, modified: 0, renamed: 1, bytesAdded: 160_351, bytesDeleted: 0 },
          made: { at: '2026-01-03T09:00:00.000Z', ms: 12_000, by: { host: 'box', run: '42' } },
          remote: { s3cache: 'complete' },
        },
      ],
    },
    {
      commit: sampleCommit('b2'),
      parents: [sampleCommit('a1')],
      author,
      date: '2026-01-02T10:00:00+01:00',
      subject: 'Drop it\u001b[2J',
      refs: [],
      outs: [
        {
          project: 'people',
          target: 'raw',
          path: 'people/raw',
          change: 'deleted',
          before,
          after: null,
          stat: null,
          made: null,
          remote: {},
        },
      ],
    },
    {
      commit: sampleCommit('a1'),
      parents: [],
      author,
      date: '2026-01-01T10:00:00+01:00',
      subject: 'Faces',
      refs: [],
      outs: [
        {
          project: 'people',
          target: 'raw',
          path: 'people/raw',
          change: 'added',
          before: null,
          after: before,
          stat: null,
          made: { at: '2026-01-01T08:59:00.000Z', ms: 0, by: null },
          remote: {},
        },
      ],
    },
  ],
};

export const BLAME: BlameReport = {
  files: [
    {
      project: 'people',
      target: 'raw',
      out: 'people/raw',
      path: '1.jpg',
      digest: sampleDigest('1a'),
      bytes: 5969,
      commit: { commit: sampleCommit('a1'), author, date: '2026-01-01T10:00:00+01:00', subject: 'Faces' },
      orEarlier: true,
    },
    {
      project: 'people',
      target: 'raw',
      out: 'people/raw',
      path: '2.jpg',
      digest: sampleDigest('2b'),
      bytes: 40_000,
      commit: null,
      orEarlier: false,
    },
  ],
};

const file = { kind: 'file', digest: sampleDigest('1a'), bytes: 1000 } as const;

export const DIFF: DiffReport = {
  before: { kind: 'revision', rev: 'main', commit: sampleCommit('a1') },
  after: { kind: 'workspace' },
  outs: [
    {
      project: 'people',
      target: 'raw',
      path: 'people/raw',
      added: [{ ...file, path: 'new|name.jpg' }],
      deleted: [{ ...file, path: 'gone.jpg' }],
      modified: [{ path: 'table.csv', before: file, after: { ...file, digest: sampleDigest('2b'), bytes: 2000 } }],
      renamed: [{ ...file, from: 'old.jpg', path: 'moved\n.jpg' }],
      files: { before: 10, after: 10 },
      bytes: { before: 695_311, after: 696_311, new: 3000 },
      content: [
        {
          path: 'table.csv',
          diff: {
            kind: 'csv',
            columns: { added: ['size'], deleted: [] },
            rows: { added: 1, deleted: 0, modified: 1 },
            changes: [
              { change: 'modified', row: 1, cells: [{ column: 'name', before: 'x', after: 'y' }] },
              { change: 'added', row: 2, values: ['2', 'z'] },
            ],
            more: 3,
          },
        },
      ],
    },
  ],
  params: [{ project: 'people', target: 'fit', name: 'params.yaml:lr', before: '0.1', after: '0.2' }],
  metrics: [
    { project: 'people', target: 'fit', path: 'people/m.json', name: 'score', before: 0.5, after: 0.75 },
    { project: 'people', target: 'fit', path: 'people/m.json', name: 'by', before: null, after: 'x' },
  ],
};

export const SUMMARY: SummaryReport = {
  files: 13,
  bytes: 700_000,
  distinct: { files: 11, bytes: 600_000 },
  store: { path: '/w/.sluice', disk: { files: 20, bytes: 1_258_291 } },
  outs: [
    {
      project: 'people',
      target: 'raw',
      path: 'people/raw',
      digest: sampleDigest('1a'),
      files: 10,
      bytes: 695_311,
      distinct: { files: 9, bytes: 600_000 },
      own: { files: 8, bytes: 500_000 },
      stored: { files: 4, bytes: 200_000 },
      remote: { s3cache: 'complete' },
      disk: { files: 10, bytes: 720_896 },
    },
    {
      project: 'people',
      target: 'old',
      path: 'people/old',
      digest: sampleDigest('2b'),
      files: 3,
      bytes: 4689,
      distinct: null,
      own: null,
      stored: null,
      remote: {},
      disk: { files: 0, bytes: 0 },
    },
  ],
};
export const CONFLICT: ConflictReport = {
  project: 'people',
  target: 'raw',
  selector: 'people:raw#1.jpg',
  out: 'people/raw',
  path: '1.jpg',
  class: 'changed-removed',
  bytes: { base: 5969, ours: 6000, theirs: null },
  missing: null,
};

export const MERGE: MergeLocksReport = {
  path: 'people/sluice-lock.json',
  stages: ['raw'],
  conflicts: [CONFLICT],
  text: false,
};

export const RESOLVED: ResolveReport = { resolved: [CONFLICT], left: [], locks: ['people/sluice-lock.json'] };

export const UNLOCK: UnlockReport = { unlocked: ['people/raw/1.jpg'], unchanged: [], bytes: 5969 };

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
