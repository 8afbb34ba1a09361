import { setMaxListeners } from 'node:events';

/**
 * Calls `stop` when a signal aborts, until the returned function is called. Not `AbortSignal.any`: the signal of a caller lives long, and would remember everything that
 * ever listened. As many as are in flight may listen at once, and Node does not warn of a leak then.
 */
export function whenAborted(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal === undefined) return () => {};
  setMaxListeners(0, signal);
  signal.addEventListener('abort', stop);
  return () => signal.removeEventListener('abort', stop);
}
