import { storeLayout } from './layout.js';
import { explained } from './unwritable.js';

const layout = storeLayout('/ws/.sluice');

const failing = (code: string, syscall: string, path: string) => (): never => {
  throw Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall, path });
};

test.each([
  ['EROFS', 'open', 'EROFS'],
  ['EACCES', 'mkdir', 'EACCES'],
  // Node says so of a recursive mkdir on a file system that is read-only.
  ['ENOENT', 'mkdir', 'EROFS'],
])('%s of %s says that the store cannot be written', (code, syscall, said) => {
  expect(() => explained(layout, failing(code, syscall, '/ws/.sluice/locks/gc'))).toThrow(
    expect.objectContaining({ code: 'ERR_STORE_UNWRITABLE', message: expect.stringContaining(`(${said})`) }),
  );
});

test('what fails elsewhere, or is only not there, is not the store', () => {
  expect(() => explained(layout, failing('EACCES', 'open', '/ws/p/data'))).not.toThrow(
    expect.objectContaining({ code: 'ERR_STORE_UNWRITABLE' }),
  );
  expect(() => explained(layout, failing('ENOENT', 'open', '/ws/.sluice/objects/a'))).not.toThrow(
    expect.objectContaining({ code: 'ERR_STORE_UNWRITABLE' }),
  );
});
