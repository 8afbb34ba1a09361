import { asSluiceError, errnoOf, SluiceError } from '../errors.js';
import type { Layout } from './layout.js';

/** `ERR_STORE_UNWRITABLE` for a failure that says that something in the store may not be written; any other error as it is. */
export function explainUnwritable(layout: Layout, error: unknown): unknown {
  const code = errnoOf(error);
  // What Node says when it cannot make a directory and those above it on a file system that is read-only.
  const isReadOnly = code === 'EROFS' || (code === 'ENOENT' && syscallOf(error) === 'mkdir');
  if (code !== 'EACCES' && code !== 'EPERM' && !isReadOnly) return error;
  if (!pathOf(error).startsWith(layout.dir)) return error;
  return new SluiceError(
    'ERR_STORE_UNWRITABLE',
    `the store ${layout.dir} cannot be written (${isReadOnly ? 'EROFS' : code})`,
    {
      cause: error,
      hint: 'Check its permissions, or choose another place with "store" in sluice.json or SLUICE_STORE.',
    },
  );
}

/** Runs a change of the store. Throws `ERR_STORE_UNWRITABLE`, `ERR_DISK_FULL` and the like instead of system errors. */
export function explained<T>(layout: Layout, change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw asSluiceError(explainUnwritable(layout, error));
  }
}

function pathOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'path' in error ? String(error.path) : '';
}

function syscallOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'syscall' in error ? error.syscall : undefined;
}
