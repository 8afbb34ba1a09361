import type { ConflictReport, MergeLocksReport, ResolveReport } from '@sluice/engine';

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
