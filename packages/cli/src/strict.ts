import { type ErrorCode, SluiceError, type SluiceEvent } from '@sluice/engine';

/** Warnings that `--strict` makes failures: a remote that does not answer, and data that is only referred to. */
const CODES: readonly ErrorCode[] = ['ERR_REMOTE_DOWN', 'ERR_REMOTE_DENIED', 'ERR_NOT_LOCAL'];

/** Remembers the first warning that `--strict` does not let pass. */
export interface Strictness {
  watch(event: SluiceEvent): void;
  failure(): SluiceError | undefined;
}

/** The work is done all the same, since data that came is worth having; the exit code says that it is not all. */
export function createStrictness(): Strictness {
  let failure: SluiceError | undefined;
  return {
    watch: (event) => {
      if (event.type !== 'warning' || failure !== undefined) return;
      const code = CODES.find((known) => known === event.code);
      if (code === undefined) return;
      failure = new SluiceError(code, event.message, event.hint === undefined ? {} : { hint: event.hint });
    },
    failure: () => failure,
  };
}
