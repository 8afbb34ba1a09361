import type { BlameReport, DiffReport, LogReport } from '@sluice/engine';
import { author, sampleCommit, sampleDigest } from './values.js';

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
