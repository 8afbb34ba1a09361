import { SluiceError } from '../../../errors.js';
import type { StorageKey } from '../port.js';

/** The error for a job that is known to have no right to write, before it has asked. `why`: in words. */
export function deniedToWrite(place: string, key: StorageKey, why: string | undefined): SluiceError {
  return new SluiceError(
    'ERR_REMOTE_READ_ONLY',
    `${place} is read-only for this job, so ${key} was not written${reason(why)}`,
    {
      hint: 'Jobs of pushes, schedules and dispatches may write; so may those of pull requests, for themselves.',
    },
  );
}

/** The error for a job that is known to have no right to read. */
export function deniedToRead(place: string, why: string | undefined): SluiceError {
  return new SluiceError('ERR_REMOTE_DENIED', `${place} may not be read by this job${reason(why)}`, {
    hint: 'Without reading, what is there cannot be known: nothing is written either. Use another remote in this job.',
  });
}

function reason(why: string | undefined): string {
  return why === undefined ? '' : ` (${why})`;
}
