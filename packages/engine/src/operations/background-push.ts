import { asSluiceError, type ErrorWire, toErrorWire } from '../errors.js';
import type { PushReport } from './reports.js';

/** What was pushed beside a run. `error`: why the last push did not send everything; what it left is tried again. Sizes in bytes, `ms`: how long pushes were under way. */
export interface BackgroundReport {
  readonly remotes: readonly string[];
  /** Selectors of stages of which everything was sent. */
  readonly stages: readonly string[];
  readonly files: number;
  readonly objects: number;
  readonly bytes: number;
  readonly ms: number;
  readonly error: ErrorWire | null;
}

/** Pushes what stages make while others still run. None of its methods throws. */
export interface BackgroundPush {
  /** Something may be new: looks now and not at the next tick. */
  poke(): void;
  /** The end of the run: waits for the push under way, pushes what is left, and ends. */
  flush(): Promise<BackgroundReport>;
  /** Ends at once: aborts the push under way. What it had sent stays valid there and is not sent again. */
  stop(): Promise<BackgroundReport>;
  /** When it has ended in any way. */
  readonly ended: Promise<BackgroundReport>;
}

/** What a background push works with. */
export interface BackgroundOptions {
  /** Selectors of stages that have something new since they were last named as `pushed`; a cheap look. */
  readonly look: () => readonly string[];
  /** Sends what the locks name of stages. `undefined`: another process is at it, and this is not the last push. */
  readonly push: (select: readonly string[], signal: AbortSignal, isLast: boolean) => Promise<PushReport | undefined>;
  /** Whether anybody may still make something; asked when there was nothing new for `idleMs`. */
  readonly isBusy: () => boolean;
  readonly everyMs: number;
  readonly idleMs: number;
}

/** After a failure a remote is left alone this long. */
const PAUSE_MS = 30_000;

/**
 * Looks every now and then, and when it is poked, for what is new, and pushes it, one push at a time. A failure is kept for the report and tried again later: a run must
 * neither fail nor wait because of it. Ends by itself when nobody has done anything for long, so that it does not outlive a run that was killed.
 */
export function backgroundPush({ look, push, isBusy, everyMs, idleMs }: BackgroundOptions): BackgroundPush {
  const abort = new AbortController();
  const total = { files: 0, objects: 0, bytes: 0, ms: 0 };
  const remotes = new Set<string>();
  const sent = new Set<string>();
  let pending = new Set<string>();
  let error: ErrorWire | null = null;
  let state: 'running' | 'ending' | 'ended' = 'running';
  let current: Promise<void> | undefined;
  let pausedUntilMs = 0;
  let lastNewsMs = performance.now();
  let resolveEnded: (report: BackgroundReport) => void = () => {};
  const ended = new Promise<BackgroundReport>((resolve) => {
    resolveEnded = resolve;
  });

  const gather = (): void => {
    try {
      for (const name of look()) pending.add(name);
    } catch (reason) {
      error = toErrorWire(asSluiceError(reason));
    }
    if (pending.size > 0) lastNewsMs = performance.now();
  };

  const tryPush = async (batch: ReadonlySet<string>, isLast: boolean): Promise<'done' | 'later' | 'failed'> => {
    try {
      const report = await push([...batch], abort.signal, isLast);
      if (report === undefined) return 'later';
      total.files += report.files.sent;
      total.objects += report.objects.sent;
      total.bytes += report.bytes.sent;
      total.ms += report.ms;
      for (const { remote } of report.remotes) remotes.add(remote);
      error = report.remotes.find((one) => one.error !== null)?.error ?? null;
    } catch (reason) {
      error = toErrorWire(asSluiceError(reason));
    }
    return error === null ? 'done' : 'failed';
  };

  const pushPending = async (isLast: boolean): Promise<void> => {
    const batch = pending;
    pending = new Set();
    const outcome = await tryPush(batch, isLast);
    if (outcome === 'done') {
      for (const name of batch) sent.add(name);
      return;
    }
    for (const name of batch) pending.add(name);
    pausedUntilMs = performance.now() + (outcome === 'later' ? everyMs : PAUSE_MS);
  };

  const step = (): void => {
    if (state !== 'running' || current !== undefined) return;
    gather();
    const nowMs = performance.now();
    if (pending.size > 0 && nowMs >= pausedUntilMs) {
      current = pushPending(false).finally(() => {
        current = undefined;
        step();
      });
    } else if (nowMs - lastNewsMs > idleMs) {
      if (isBusy()) lastNewsMs = nowMs;
      else end();
    }
  };

  const timer = setInterval(step, everyMs);
  timer.unref();

  const end = (): BackgroundReport => {
    clearInterval(timer);
    state = 'ended';
    const report = { remotes: [...remotes], stages: [...sent], ...total, error };
    resolveEnded(report);
    return report;
  };

  return {
    ended,
    poke: step,
    flush: async () => {
      if (state !== 'running') return ended;
      state = 'ending';
      clearInterval(timer);
      await current;
      gather();
      current = pending.size > 0 ? pushPending(true) : undefined;
      await current;
      return end();
    },
    stop: async () => {
      if (state === 'ended') return ended;
      state = 'ending';
      abort.abort();
      await current;
      return end();
    },
  };
}
