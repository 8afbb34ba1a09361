import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { useTempDir } from '../testing/temp-dir.js';
import { sharedFailure, shareFailure } from './shared-failure.js';

const temp = useTempDir();
const down = new SluiceError('ERR_REMOTE_DOWN', 'remote near is down', { hint: 'Mount it.' });

test('the first that finds a remote down tells, and the others know it for a minute', () => {
  const dir = temp('run');
  expect(sharedFailure(dir, 'near')).toBeUndefined();
  expect(shareFailure(dir, 'near', down)).toBe(true);
  expect(shareFailure(dir, 'near', down)).toBe(false);
  expect(sharedFailure(dir, 'near')).toMatchObject({ code: down.code, message: down.message, hint: down.hint });
  expect(sharedFailure(dir, 'far')).toBeUndefined();

  const [name = ''] = readdirSync(dir);
  const before = Date.now() / 1000 - 61;
  utimesSync(join(dir, name), before, before);
  expect(sharedFailure(dir, 'near')).toBeUndefined();
  // It was asked again and is still down: not told twice.
  expect(shareFailure(dir, 'near', down)).toBe(false);
  expect(sharedFailure(dir, 'near')).toMatchObject({ code: down.code });

  for (const text of [
    '',
    '{',
    'null',
    '{"code": "ERR_NONE", "message": "x"}',
    '{"code": "toString", "message": "x"}',
  ]) {
    writeFileSync(join(dir, name), text);
    expect(sharedFailure(dir, 'near')).toBeUndefined();
  }
  rmSync(dir, { recursive: true });
  expect(sharedFailure(dir, 'near')).toBeUndefined();
});

test('alone, each tells', () => {
  expect([shareFailure(undefined, 'near', down), shareFailure(undefined, 'near', down)]).toEqual([true, true]);
  expect(sharedFailure(undefined, 'near')).toBeUndefined();
  writeFileSync(temp('file'), '');
  expect(shareFailure(temp('file'), 'near', down)).toBe(true);
  expect(existsSync(temp('file'))).toBe(true);
});
