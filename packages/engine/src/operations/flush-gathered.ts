import { asSluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import type { CountingStorage } from '../remote/storage/counting.js';

/** Storages that gather what is put, by the names of their remotes. */
export type Gathering = Map<string, CountingStorage>;

/** Long enough for an upload, and for what is left of a job that is being cancelled. */
const FLUSH_MS = 60_000;
const LAST_FLUSH_MS = 4000;

/**
 * The end of an engine: lets others see what was pushed a short while ago, after an abort too if that is quick. What fails is told as a warning, since whoever pushed was told that
 * it was sent; it is sent again when it is missed.
 */
export async function flushGathered(gathering: Gathering, emit: Emit, signal: AbortSignal | undefined): Promise<void> {
  for (const storage of gathering.values()) {
    try {
      await storage.flush?.({ signal: AbortSignal.timeout(signal?.aborted === true ? LAST_FLUSH_MS : FLUSH_MS) });
    } catch (error) {
      const { code, message, hint } = asSluiceError(error);
      const text = `others do not see all that was pushed to ${storage.description}: ${message}`;
      emit({ type: 'warning', code, message: text, ...(hint === undefined ? {} : { hint }) });
    }
  }
}
