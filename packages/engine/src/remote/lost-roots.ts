import { SluiceError } from '../errors.js';
import type { OutRoot } from '../model/root.js';

/** A root that could not be moved whole, and why. */
export interface LostRoot {
  readonly root: OutRoot;
  readonly error: SluiceError;
}

/** Tells somebody who asked for it of each root that could not be moved; throws the first error, with the number of the others, if nobody did. */
export function tellLost(lost: readonly LostRoot[], tell: ((one: LostRoot) => void) | undefined): void {
  if (tell !== undefined) {
    for (const one of lost) tell(one);
    return;
  }
  const [first] = lost;
  if (first === undefined) return;
  if (lost.length === 1) throw first.error;
  const { code, message, hint, cause, details } = first.error;
  throw new SluiceError(code, `${message}, and ${lost.length - 1} more`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
