const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** An `AbortSignal` for the signals that end a process, until `release`. Nx sends SIGTERM, twice, and kills after 5 s. */
export function abortOnSignal(host: NodeJS.EventEmitter): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const name of SIGNALS) host.on(name, abort);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of SIGNALS) host.off(name, abort);
    },
  };
}
