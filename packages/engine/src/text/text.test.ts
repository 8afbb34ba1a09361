import {
  errorText,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  outcomeText,
  plural,
  reasonsText,
  reasonText,
  visible,
} from './index.js';

test('sizes, counts and durations are short and exact', () => {
  expect([0, 12, 1023, 1024, 695_311, 160_351, 325_058_560].map(formatBytes)).toEqual([
    '0 B',
    '12 B',
    '1,023 B',
    '1.0 KiB',
    '679.0 KiB',
    '156.6 KiB',
    '310.0 MiB',
  ]);
  // Never 1024.0 of a unit.
  expect([1_048_575, 1_048_576, 1_023 * 1024].map(formatBytes)).toEqual(['1.0 MiB', '1.0 MiB', '1023.0 KiB']);
  expect([0, 999, 1204, 1_000_000].map(formatCount)).toEqual(['0', '999', '1,204', '1,000,000']);
  expect([12, 800, 12_000, 200_000].map(formatDuration)).toEqual(['12 ms', '0.8 s', '12 s', '3 min 20 s']);
  expect([formatRate(695_311, 20), formatRate(10, 0)]).toEqual(['33.2 MiB/s', undefined]);
  expect([plural(1, 'file'), plural(1204, 'file')]).toEqual(['1 file', '1,204 files']);
});

test('a reason says what it was and what it is', () => {
  expect(reasonText({ kind: 'param', name: 'params.yaml:lr', before: '0.1', after: '0.2' })).toBe(
    'params.yaml:lr 0.1 -> 0.2',
  );
  expect(reasonText({ kind: 'dep', name: 'a.py', before: 'blob x', after: 'blob y' })).toBe('dep a.py changed');
  expect(reasonText({ kind: 'dep', name: 'a.py', before: 'blob x', after: null })).toBe('dep a.py is gone');
  expect(reasonText({ kind: 'dep', name: 'a.py', before: null, after: null })).toBe('dep a.py is not there');
  expect(reasonText({ kind: 'out', name: 'data/x', before: 'sha256:1', after: 'sha256:2' })).toBe(
    'out data/x modified',
  );
  expect(reasonText({ kind: 'runtime', name: 'node -v', before: 'v20', after: 'v22' })).toBe(
    'runtime node -v v20 -> v22',
  );
  expect(reasonText({ kind: 'env', name: 'SEED', before: null, after: 'unset' })).toBe('env SEED is declared now');
  expect(reasonText({ kind: 'env', name: 'SEED', before: 'unset', after: 'sha256:1' })).toBe('env SEED set');
  expect(reasonText({ kind: 'env', name: 'TOKEN', before: 'sha256:1', after: 'sha256:2' })).toBe('env TOKEN changed');
});

test('a long list of reasons ends with the number of the others', () => {
  const reasons = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ kind: 'dep' as const, name, before: null, after: 'x' }));
  expect(reasonsText(reasons)).toBe('dep a added, dep b added, dep c added and 2 more');
});

test('an outcome names numbers, source and what was left out', () => {
  const result = {
    outcome: 'restored' as const,
    files: 1204,
    bytes: 325_058_560,
    source: 's3cache',
    referenceOnly: ['p/x'],
  };
  expect(outcomeText(result, 800)).toBe(
    'restored 1,204 files (310.0 MiB) from s3cache in 0.8 s; p/x left reference-only',
  );
  expect(outcomeText({ ...result, outcome: 'unchanged', referenceOnly: [] }, 1)).toBe('unchanged');
});

test('an error has its code, its place and what to do', () => {
  expect(errorText({ code: 'ERR_HELD', message: 'p:train is held', hint: 'Wait.' })).toBe(
    'ERR_HELD: p:train is held\n  Wait.',
  );
});

test('names and values stay on their line', () => {
  expect(visible('a\nb\u001b[2Jc\u009bd é')).toBe('a\\nb\\u001b[2Jc\\u009bd é');
  expect(visible('abc\u202egpj.exe')).toBe('abc\\u202egpj.exe');
  expect(reasonText({ kind: 'command', name: '', before: 'a\nb', after: null })).toBe('command a\\nb -> (none)');
});
