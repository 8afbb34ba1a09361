import type {
  CatReport,
  CheckoutReport,
  ExportReport,
  ImportReport,
  LsReport,
  SummaryReport,
  UnlockReport,
} from '@sluice/engine';
import { sampleDigest } from './values.js';

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

export const UNLOCK: UnlockReport = { unlocked: ['people/raw/1.jpg'], unchanged: [], bytes: 5969 };
