import { errnoOf, SluiceError } from '../../errors.js';

/** Errors of a body are its maker's, and say nothing about the directory. */
export class BodyFailed extends Error {}

/** Whether an error says that there is no object of this name. */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  // A directory where an object is asked for is no object.
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}

/** The error for a directory that is not where it should be. */
export function missingBase(path: string): SluiceError {
  return new SluiceError('ERR_REMOTE_DOWN', `the remote's directory ${path} does not exist`, {
    hint: 'If it lies on another disk or a network share, check that this is mounted; otherwise correct the URL of the remote.',
  });
}

/** The error for a directory that was in use and looks as if it never had been. */
export function missingMarker(path: string): SluiceError {
  return new SluiceError('ERR_REMOTE_DOWN', `the remote's directory ${path} was in use before and is empty now`, {
    hint: 'If it lies on another disk or a network share, check that this is mounted.',
  });
}

/** Turns a system error into one with a code that says whether trying again helps. Anything else stays as it is. */
export function explain(error: unknown, base: string): unknown {
  if (error instanceof SluiceError) return error;
  if (error instanceof BodyFailed) return error.cause;
  const code = errnoOf(error);
  if (code === undefined || code === 'ABORT_ERR') return error;
  const where = `the remote's directory ${base}`;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('ERR_DISK_FULL', `no space is left in ${where}`, {
      cause: error,
      hint: 'Free some space there and push again; what was sent so far is not sent again.',
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SluiceError('ERR_REMOTE_DENIED', `${where} refuses access (${code})`, {
      cause: error,
      hint: 'Check the permissions of the directory, or mark the remote as `readOnly` in sluice.json if it is only to be read.',
    });
  }
  return new SluiceError('ERR_REMOTE_DOWN', `${where} does not answer (${code})`, {
    cause: error,
    hint: 'Check that the disk or network share is mounted and works.',
  });
}
