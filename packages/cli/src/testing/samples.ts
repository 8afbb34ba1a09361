import type {
  CheckoutReport,
  CommitReport,
  ConflictReport,
  DoctorReport,
  ExplainReport,
  ExportReport,
  FetchReport,
  GcExplanation,
  GcRemoteReport,
  GcReport,
  ImportReport,
  MergeLocksReport,
  PullReport,
  PushReport,
  RemoteReport,
  RemoteStatReport,
  ResolveReport,
  StageStatus,
  StoreStat,
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

export const PUSH: PushReport = {
  remote: 's3cache',
  files: { sent: 2, reused: 5 },
  objects: { sent: 3, reused: 5 },
  bytes: { sent: 160_351, reused: 256_725 },
  requests,
  dryRun: false,
  ms: 800,
};

export const FETCH: FetchReport = {
  remote: 's3cache',
  files: { received: 2, reused: 0 },
  objects: { received: 3, reused: 0 },
  bytes: { received: 1_363_149, reused: 0 },
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
