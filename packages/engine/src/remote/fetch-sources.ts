import { SluiceError } from '../errors.js';
import type { FetchRootsOptions, FetchWant } from './fetch-plan.js';
import { markSeen } from './have-file.js';
import { isUnreachable, type Remote } from './remote.js';

/** Brings what is wanted from one remote; returns whether it has the root at all, and throws what is wrong with what it has. */
export type Take = (remote: Remote) => Promise<boolean>;

/**
 * Calls `take` for one remote after another, until one has given all that is wanted. Returns whether one has. Throws, if none has, what is wrong with the first that
 * has something wrong; what does not answer counts only if nothing else does.
 */
export async function takeFromAny(
  { remote: first, others = [], reach, store, signal }: FetchRootsOptions,
  take: Take,
): Promise<boolean> {
  let failure: SluiceError | undefined;
  for (const remote of new Set([first, ...others])) {
    if (reach?.failure(remote) !== undefined) continue;
    try {
      if ((await remote.contact(signal)) === 'empty') {
        reach?.unused(remote);
        continue;
      }
      markSeen(store, remote.description);
      if (await take(remote)) return true;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code === 'ERR_INTERRUPTED') throw error;
      if (!isUnreachable(error)) failure ??= error;
      else if (reach === undefined) throw error;
      else reach.lost(remote, error);
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

/** The error for a root that is neither here nor to be had. */
export function notToBeHad(
  { remote: first, others = [], reach }: FetchRootsOptions,
  { root: { digest } }: FetchWant,
): SluiceError {
  const asked = [...new Set([first, ...others])];
  for (const remote of asked) {
    const cause = reach?.failure(remote);
    if (cause === undefined) continue;
    const how = cause.code === 'ERR_REMOTE_DENIED' ? 'refuses access' : 'does not answer';
    return new SluiceError(cause.code, `${digest} is needed and not in the store, and ${remote.description} ${how}`, {
      cause,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      details: { digest },
    });
  }
  const places = asked.map(({ description }) => description).join(', ');
  return new SluiceError('ERR_NOT_LOCAL', `${digest} is neither here nor on ${places}`, {
    hint: 'Push it from a workspace that has it, or run its stage again.',
    details: { digest },
  });
}
