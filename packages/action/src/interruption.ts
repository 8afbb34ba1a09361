import type { Host } from './host.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Turns the signals by which a runner stops a step into an abort, until `end` is called. */
export function listen({ signals }: Pick<Host, 'signals'>): { readonly signal: AbortSignal; end(): void } {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const name of SIGNALS) signals.on(name, interrupt);
  return {
    signal: interruption.signal,
    end: () => {
      for (const name of SIGNALS) signals.off(name, interrupt);
    },
  };
}
