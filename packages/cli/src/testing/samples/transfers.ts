import type { FetchReport, PullReport, PushReport, RemotePush, RemoteReport, RemoteStatReport } from '@sluice/engine';

const requests = { head: 1, get: 0, put: 3, list: 0, delete: 0 };

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

export const REMOTES: readonly RemoteReport[] = [
  { name: 'near', url: 'file:../data', default: false, readOnly: true },
  { name: 's3cache', url: 's3://bucket/prefix', default: true, readOnly: false },
];

export const REMOTE_STAT: RemoteStatReport = {
  remote: 's3cache',
  blobs: 12,
  trees: 2,
  packs: 3,
  records: 1,
  bytes: 900_000,
  referencedBytes: 855_646,
};
