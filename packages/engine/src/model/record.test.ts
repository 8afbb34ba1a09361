import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { digestOf } from './digest.js';
import { fingerprintOf, type Part } from './parts.js';
import { parseRelPath, type RelPath } from './path.js';
import { isArea, parseRecord, parseRunTime, printRecord, type StageRecord, trackedKey } from './record.js';
import type { OutRoot } from './root.js';

const D = digestOf('x');
const parts: Part[] = [
  { kind: 'command', name: '', value: 'node a.mjs' },
  { kind: 'env', name: 'SEED', value: 'unset' },
];
const outs = new Map<RelPath, OutRoot>([
  [parseRelPath('p/out'), { kind: 'tree', digest: D, exec: false, files: 2, bytes: 5 }],
]);
const record: StageRecord = {
  fingerprint: fingerprintOf(parts),
  tracked: false,
  parts,
  outs,
  stage: { project: '@a/p', target: 'train' },
  made: { at: '2026-01-02T03:04:05.678Z', ms: 1500, by: { commit: 'abc', repository: 'o/r' } },
  area: 'shared',
};
const tracked: StageRecord = {
  ...record,
  fingerprint: trackedKey(outs),
  tracked: true,
  parts: [],
  area: 'pr/17',
  made: { at: '2026-01-02T03:04:05.000Z', ms: 0 },
};

function problemOf(text: string): string {
  try {
    parseRecord(text, 'ab/cd');
    return 'none';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

test('prints sorted parts and outs as a lock does, and reads them back', () => {
  expect(printRecord(record)).toBe(`{
  "version": 1,
  "fingerprint": "${record.fingerprint}",
  "parts": {
    "command": "node a.mjs",
    "env:SEED": "unset"
  },
  "outs": {
    "p/out": { "tree": "${D}", "files": 2, "bytes": 5 }
  },
  "stage": {
    "project": "@a/p",
    "target": "train"
  },
  "made": {
    "at": "2026-01-02T03:04:05.678Z",
    "ms": 1500,
    "by": {
      "commit": "abc",
      "repository": "o/r"
    }
  },
  "area": "shared"
}
`);
  for (const value of [record, tracked]) {
    expect(parseRecord(printRecord(value), 'r')).toEqual(value);
    expect(printRecord(parseRecord(JSON.stringify(JSON.parse(printRecord(value))), 'r'))).toBe(printRecord(value));
  }
});

test('a record of tracked data is named by its outs', () => {
  expect(trackedKey(outs)).toBe(digestOf(`{"p/out":{"bytes":5,"files":2,"tree":"${D}"}}`));
  expect(problemOf(printRecord({ ...tracked, fingerprint: D }))).toContain('fingerprint is not that of its outs');
  expect(problemOf(printRecord({ ...tracked, parts }))).toContain('parts are not empty');
});

test.each<[string, string, string]>([
  ['a newer version', printRecord(record).replace('"version": 1', '"version": 7'), 'ERR_FORMAT_VERSION'],
  ['no JSON', 'x', 'ERR_RECORD_INVALID record ab/cd: it is not JSON'],
  [
    'an unknown key',
    printRecord(record).replace('"area"', '"aria"'),
    'ERR_RECORD_INVALID record ab/cd: aria is not known',
  ],
  ['other parts', printRecord(record).replace('a.mjs', 'b.mjs'), 'fingerprint is not that of its parts'],
  ['a bad time', printRecord(record).replace('01-02T', '13-02T'), 'made.at is not an ISO time'],
  ['a local time', printRecord(record).replace('678Z', '678+01:00'), 'made.at is not an ISO time'],
  ['a bad duration', printRecord(record).replace('1500', '-1'), 'made.ms is not a whole number'],
  ['a bad area', printRecord(record).replace('"shared"', '"pr/0"'), 'area is not trusted'],
  ['a bad maker', printRecord(record).replace('"abc"', '7'), 'made.by.commit is not a text'],
  ['an unsafe path', printRecord(record).replace('p/out', '../out'), 'is not a safe path'],
])('%s is refused', (_, text, message) => {
  expect(problemOf(text)).toContain(message);
});

test('areas', () => {
  for (const area of ['trusted', 'shared', 'pr/1', 'pr/123']) expect(isArea(area)).toBe(true);
  for (const area of ['', 'pr/', 'pr/01', 'pr/1/..', 'Trusted', 'x', 'pr/1\n']) expect(isArea(area)).toBe(false);
});

test('damaged bytes never give anything but a record or a coded error', () => {
  const bytes = Buffer.from(printRecord(record));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = byte;
      problemOf(damaged.toString('utf8'));
      problemOf(damaged.subarray(0, at).toString('utf8'));
    }),
    fuzzRuns(1000),
  );
});

test('the time of a run is read alone, and from nothing that does not say it', () => {
  const text = printRecord(record);
  expect(parseRunTime(text)).toBe(1500);
  expect(parseRunTime(text.replace('"p/out"', '"../out"'))).toBe(1500);
  for (const wrong of ['', '[]', '{}', '{ "made": 3 }', '{ "made": { "ms": -1 } }', text.slice(0, -4)]) {
    expect(parseRunTime(wrong)).toBeUndefined();
  }
});
