import { asSluiceError, ERRORS, errnoOf, fromErrorWire, SluiceError, throwIfAborted, toErrorWire } from './errors.js';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}

test.each([
  ['ENOSPC', 'ERR_DISK_FULL'],
  ['EDQUOT', 'ERR_DISK_FULL'],
  ['EROFS', 'ERR_STORE_UNWRITABLE'],
  ['EACCES', 'ERR_FILE_UNREADABLE'],
  ['EIO', 'ERR_IO'],
  ['EMFILE', 'ERR_IO'],
  ['ABORT_ERR', 'ERR_INTERRUPTED'],
  ['ENOENT', 'ERR_INTERNAL'],
])('%s becomes %s', (errno, code) => {
  const cause = systemError(errno);
  const error = asSluiceError(cause);
  expect(error).toMatchObject({ code, cause });
  expect(error.message).toContain(code === 'ERR_INTERRUPTED' ? 'interrupted' : 'it failed');
});

test('anything may be thrown', () => {
  for (const thrown of [undefined, null, 'text', 5, {}, { code: 5 }]) {
    expect(asSluiceError(thrown).code).toBe('ERR_INTERNAL');
    expect(errnoOf(thrown)).toBeUndefined();
  }
  const known = new SluiceError('ERR_HELD', 'held');
  expect(asSluiceError(known)).toBe(known);
  expect(known.exitCode).toBe(ERRORS.ERR_HELD.exit);
});

test('crosses a thread whole', () => {
  const error = new SluiceError('ERR_FILE_KIND', 'a pipe', { hint: 'Remove it.', details: { path: 'p' } });
  const back = fromErrorWire(structuredClone(toErrorWire(error)));
  expect(back).toMatchObject({ code: 'ERR_FILE_KIND', message: 'a pipe', hint: 'Remove it.', details: { path: 'p' } });
  expect(toErrorWire(new SluiceError('ERR_HELD', 'held'))).toEqual({ code: 'ERR_HELD', message: 'held' });
});

test('an abort is noticed', () => {
  throwIfAborted(undefined);
  throwIfAborted(new AbortController().signal);
  expect(() => throwIfAborted(AbortSignal.abort())).toThrow(expect.objectContaining({ code: 'ERR_INTERRUPTED' }));
});
