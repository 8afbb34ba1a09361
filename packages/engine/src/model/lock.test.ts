import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { digestOf } from './digest.js';
import { type Lock, type LockedStage, parseLock, printLock } from './lock.js';
import { fingerprintOf, type Part } from './parts.js';
import { parseRelPath, type RelPath } from './path.js';
import type { OutRoot } from './root.js';

const D = digestOf('x');

const train: LockedStage = (() => {
  const parts: Part[] = [
    { kind: 'command', name: '', value: 'node train.mjs' },
    { kind: 'cwd', name: '', value: 'packages/p' },
    { kind: 'dep', name: 'data/raw/sub', value: `tree ${D}`, via: D },
    { kind: 'dep', name: 'packages/p/train.mjs', value: `blob ${D}` },
    { kind: 'param', name: 'packages/p/params.yaml:lr', value: '0.1' },
  ];
  const outs = new Map<RelPath, OutRoot>([
    [parseRelPath('packages/p/metrics.json'), { kind: 'blob', digest: D, exec: false, files: 1, bytes: 12 }],
    [parseRelPath('packages/p/model'), { kind: 'tree', digest: D, exec: false, files: 3, bytes: 123 }],
    [parseRelPath('packages/p/tool'), { kind: 'blob', digest: D, exec: true, files: 1, bytes: 1 }],
  ]);
  return { fingerprint: fingerprintOf(parts), parts, outs };
})();

const example = `{
  "version": 1,
  "stages": {
    "data": {
      "outs": {
        "packages/p/raw": { "tree": "${D}", "files": 0, "bytes": 0 }
      }
    },
    "train": {
      "fingerprint": "${train.fingerprint}",
      "parts": {
        "command": "node train.mjs",
        "cwd": "packages/p",
        "dep:data/raw/sub": { "value": "tree ${D}", "via": "${D}" },
        "dep:packages/p/train.mjs": "blob ${D}",
        "param:packages/p/params.yaml:lr": "0.1"
      },
      "outs": {
        "packages/p/metrics.json": { "blob": "${D}", "bytes": 12 },
        "packages/p/model": { "tree": "${D}", "files": 3, "bytes": 123 },
        "packages/p/tool": { "blob": "${D}", "bytes": 1, "exec": true }
      }
    }
  }
}
`;

function codeOf(text: string): string | undefined {
  try {
    parseLock(text, 'p/sluice-lock.json');
    return undefined;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.code;
  }
}

function problemOf(text: string): string {
  try {
    parseLock(text, 'p/sluice-lock.json');
    return 'none';
  } catch (error) {
    return error instanceof SluiceError ? `${error.code} ${error.message}` : String(error);
  }
}

test('prints one line per part and per out, and reads it back', () => {
  const data: LockedStage = {
    fingerprint: undefined,
    parts: [],
    outs: new Map([[parseRelPath('packages/p/raw'), { kind: 'tree', digest: D, exec: false, files: 0, bytes: 0 }]]),
  };
  const lock: Lock = {
    stages: new Map([
      ['train', train],
      ['data', data],
    ]),
  };
  expect(printLock(lock)).toBe(example);
  expect(parseLock(example, 'l').stages.get('train')).toEqual(train);
  expect(parseLock(example, 'l').stages.get('data')).toEqual(data);
  expect(printLock({ stages: new Map() })).toBe('{\n  "version": 1,\n  "stages": {}\n}\n');
});

test('gives canonical text for a lock that another tool formatted', () => {
  expect(printLock(parseLock(JSON.stringify(JSON.parse(example)), 'l'))).toBe(example);
  expect(printLock(parseLock(example.replaceAll('\n', '\r\n'), 'l'))).toBe(example);
});

test('one more file in a tracked directory changes one line', () => {
  const changed = printLock(parseLock(example.replace('"files": 0, "bytes": 0', '"files": 1, "bytes": 9'), 'l'));
  const lines = example.split('\n');
  expect(changed.split('\n').filter((line, at) => line !== lines[at])).toHaveLength(1);
});

test.each(['<<<<<<< HEAD', '=======', '>>>>>>> theirs', '||||||| base'])(
  'a merge marker %s is a conflict',
  (marker) => {
    expect(codeOf(`{\n  "version": 1,\n${marker}\n  "stages": {}\n}\n`)).toBe('ERR_LOCK_CONFLICT');
    expect(codeOf(`{\r\n${marker}\r\n}\r\n`)).toBe('ERR_LOCK_CONFLICT');
  },
);

test('a newer version is told apart, whatever else is in it', () => {
  expect(codeOf('{"version": 3, "stages": [], "more": 1}')).toBe('ERR_LOCK_VERSION');
  expect(codeOf('{"version": 0, "stages": {}}')).toBe('ERR_LOCK_INVALID');
  expect(codeOf('{"version": "1", "stages": {}}')).toBe('ERR_LOCK_INVALID');
});

const other = digestOf('other');
test.each<[string, string, string]>([
  ['no JSON', '{', 'p/sluice-lock.json: it is not JSON'],
  ['no object', '[]', 'it is not an object'],
  ['no stages', '{"version": 1}', 'stages is not an object'],
  ['an unknown key', '{"version": 1, "stages": {}, "extra": 1}', 'extra is not known'],
  ['a key twice', example.replace('"data"', '"train"'), 'holds the key "train" twice'],
  ['a key twice, escaped', example.replace('"data"', '"tra\\u0069n"'), 'holds the key "train" twice'],
  ['__proto__', example.replace('"data"', '"__proto__"'), 'stages holds the key "__proto__"'],
  [
    'a bad digest',
    example.replace(`"${D}", "files": 3`, '"sha256:12", "files": 3'),
    'stages.train.outs["packages/p/model"].tree',
  ],
  [
    'another fingerprint',
    example.replace(String(train.fingerprint), other),
    'stages.train.fingerprint is not the fingerprint of its parts',
  ],
  ['another part', example.replace('"0.1"', '"0.2"'), 'stages.train.fingerprint is not the fingerprint of its parts'],
  [
    'a fingerprint without parts',
    `{"version":1,"stages":{"a":{"fingerprint":"${D}","outs":{}}}}`,
    'stages.a.parts is not an object',
  ],
  [
    'parts without a fingerprint',
    '{"version":1,"stages":{"a":{"parts":{},"outs":{}}}}',
    'stages.a.fingerprint is not a digest',
  ],
  [
    'a part of no kind',
    '{"version":1,"stages":{"a":{"fingerprint":"x","parts":{"deps:x":"1"},"outs":{}}}}',
    'stages.a',
  ],
  ['a negative size', example.replace('"bytes": 123', '"bytes": -1'), 'outs["packages/p/model"].bytes'],
  ['a broken size', example.replace('"bytes": 123', '"bytes": 1.5'), 'outs["packages/p/model"].bytes'],
  ['a huge size', example.replace('"bytes": 123', '"bytes": 1e300'), 'outs["packages/p/model"].bytes'],
  ['a climbing path', example.replace('packages/p/model', 'packages/../../x'), 'is not a safe path'],
  ['an absolute path', example.replace('packages/p/model', '/etc'), 'is not a safe path'],
  ['the root as a path', example.replace('packages/p/model', ''), 'is not a safe path'],
  [
    'nested outs',
    example.replace('packages/p/model', 'packages/p/metrics.json/x'),
    'lies inside the out "packages/p/metrics.json"',
  ],
  ['a lone surrogate', example.replace('node train.mjs', '\\ud800'), 'is not well-formed Unicode'],
  [
    'via on another kind',
    example.replace('"cwd": "packages/p"', `"cwd": { "value": "packages/p", "via": "${D}" }`),
    'is not a text',
  ],
])('%s is invalid and its place is named', (_, text, message) => {
  expect(problemOf(text)).toContain('ERR_LOCK_INVALID');
  expect(problemOf(text)).toContain(message);
});

const digest = fc.string().map((text) => digestOf(text));
const segment = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 6 })
  .map((text) => text.replaceAll(/[/\0]/g, '_'))
  .filter((text) => !['.', '..', '__proto__'].includes(text) && text.isWellFormed());
const root: fc.Arbitrary<OutRoot> = fc.oneof(
  fc.record({
    kind: fc.constant('tree' as const),
    digest,
    exec: fc.constant(false),
    files: fc.maxSafeNat(),
    bytes: fc.maxSafeNat(),
  }),
  fc.record({
    kind: fc.constant('blob' as const),
    digest,
    exec: fc.boolean(),
    files: fc.constant(1),
    bytes: fc.maxSafeNat(),
  }),
);
const outs = fc
  .uniqueArray(fc.tuple(segment, segment), { maxLength: 4, selector: ([first]) => first })
  .chain((paths) =>
    fc.tuple(...paths.map(([a, b]) => root.map((value) => [parseRelPath(`${a}/${b}`), value] as const))),
  )
  .map((entries) => new Map(entries));
const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('dep' as const), name: segment, value: text, via: digest }),
  fc.record({ kind: fc.constantFrom('dep' as const, 'env', 'out', 'param', 'runtime'), name: segment, value: text }),
  fc.record({ kind: fc.constantFrom('command' as const, 'cwd'), name: fc.constant(''), value: text }),
);
const stage: fc.Arbitrary<LockedStage> = fc.oneof(
  outs.map((value) => ({ fingerprint: undefined, parts: [], outs: value })),
  fc
    .tuple(fc.uniqueArray(part, { selector: ({ kind, name }) => `${kind}:${name}` }), outs)
    .map(([parts, value]) => ({ fingerprint: fingerprintOf(parts), parts, outs: value })),
);
const lock = fc.array(fc.tuple(segment, stage), { maxLength: 3 }).map((stages) => ({ stages: new Map(stages) }));

test('every lock survives print and parse, and the text is canonical', () => {
  fc.assert(
    fc.property(lock, (value) => {
      const printed = printLock(value);
      const parsed = parseLock(printed, 'l');
      expect(printLock(parsed)).toBe(printed);
      expect([...parsed.stages.keys()].sort()).toEqual([...value.stages.keys()].sort());
      for (const [target, locked] of parsed.stages) {
        expect(locked.fingerprint).toBe(value.stages.get(target)?.fingerprint);
        expect(new Map(locked.outs)).toEqual(new Map(value.stages.get(target)?.outs));
      }
    }),
    fuzzRuns(200, 0.2),
  );
});

test('flipped, dropped and inserted bytes never give anything but a lock or a coded error', () => {
  const bytes = Buffer.from(example);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.constantFrom('set', 'cut', 'insert')), {
        minLength: 1,
        maxLength: 4,
      }),
      (changes) => {
        let damaged = Buffer.from(bytes);
        for (const [at, byte, how] of changes) {
          const end = how === 'insert' ? at : at + 1;
          damaged = Buffer.concat([
            damaged.subarray(0, at),
            how === 'cut' ? Buffer.alloc(0) : Buffer.of(byte),
            damaged.subarray(end),
          ]);
        }
        codeOf(damaged.toString('utf8'));
        codeOf(damaged.subarray(0, changes[0]?.[0]).toString('utf8'));
      },
    ),
    fuzzRuns(1000),
  );
});
