import { eachCall } from './each-call.js';
import type { Storage } from './port.js';
import { slots } from './slots.js';

/** Lets at most `most` calls run at once; the others wait in the order in which they came. A listing is not counted. */
export function limited(storage: Storage, most: number): Storage {
  const running = slots(most);
  return eachCall(storage, (signal, call) => running.hold(1, signal, call));
}
