import { type ErrorCode, SluiceError } from '../errors.js';
import type { SluiceEvent } from '../events.js';
import { type Environment, readFlag } from '../workspace/config.js';

/** Warnings that are failures where somebody is strict: a remote that does not answer, and data that is only referred to. */
const CODES: readonly ErrorCode[] = ['ERR_REMOTE_DOWN', 'ERR_REMOTE_DENIED', 'ERR_NOT_LOCAL'];

/** Remembers the first warning that must not pass. */
export interface Strictness {
  watch(event: SluiceEvent): void;
  /** What the work fails with that went well otherwise; nothing if nobody is strict. */
  failure(): SluiceError | undefined;
}

/**
 * The work is done all the same, since data that came is worth having; the failure says that it is not all. Somebody is strict who says so, or sets `SLUICE_STRICT=1`.
 * Throws `ERR_CONFIG` for another value.
 */
export function createStrictness(env: Environment, asked = false): Strictness {
  const isStrict = readFlag('SLUICE_STRICT', env.SLUICE_STRICT) || asked;
  let failure: SluiceError | undefined;
  return {
    watch: (event) => {
      if (!isStrict || event.type !== 'warning' || failure !== undefined) return;
      const code = CODES.find((known) => known === event.code);
      if (code === undefined) return;
      failure = new SluiceError(code, event.message, event.hint === undefined ? {} : { hint: event.hint });
    },
    failure: () => failure,
  };
}
