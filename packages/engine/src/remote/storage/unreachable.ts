import type { SluiceError } from '../../errors.js';
import type { Storage } from './port.js';

/** A place that is known to be out of reach, such as one that exists in CI only: every call throws `failure`, so that it counts as down when it is asked, and not before. */
export function unreachable(description: string, durable: boolean, failure: SluiceError): Storage {
  const fail = async (): Promise<never> => {
    throw failure;
  };
  return { description, durable, stat: fail, get: fail, put: fail };
}
