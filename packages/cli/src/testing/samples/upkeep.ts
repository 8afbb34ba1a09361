import type { GcExplanation, GcRemoteReport, GcReport, StoreStat, VerifyReport } from '@sluice/engine';
import { sampleDigest } from './values.js';

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

export const STORE: StoreStat = { objects: 6, blobs: 4, trees: 2, records: 2, bytes: 1_258_291, path: '/w/.sluice' };
