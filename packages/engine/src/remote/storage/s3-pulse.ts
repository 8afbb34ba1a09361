import { setImmediate } from 'node:timers/promises';
import { whenAborted } from '../../util/when-aborted.js';

/** How long nothing may be heard. All times in milliseconds. */
export interface PulseLimits {
  /** While requests wait and nothing at all was heard for so long, one question is asked that any living server answers at once. */
  readonly quietMs: number;
  /** How long that answer may take. If there is none, the server is dead, and all that waits is given up. */
  readonly pingMs: number;
  /** One request that gets nowhere for so long is given up, though the server lives. */
  readonly stallMs: number;
}

/** Why a request was given up. */
export type GivenUp = 'silent' | 'stalled';

/** A request that is under way. */
export interface Beat {
  /** Fires when the request is to be given up, by the pulse or by its caller. */
  readonly signal: AbortSignal;
  /** Something of this request was sent or received. */
  moved(): void;
  /** Why it was given up, if it was. */
  readonly givenUp: GivenUp | undefined;
  /** The request has ended; `answered` if the server said anything. */
  end(answered: boolean): void;
}

/** Watches over all requests to one server. */
export interface Pulse {
  /** Watches a request until its beat ends; `signal` is the caller's. */
  begin(signal: AbortSignal | undefined): Beat;
}

const TICK_MS = 250;

/**
 * Tells a dead server from a slow one. A limit for each request would be either too short for a large upload or too long for a person who waits: so
 * the limit is on hearing nothing from the server at all, by any request, and before the verdict it is asked once more. `ping` resolves when
 * it has said anything.
 */
export function createPulse(limits: PulseLimits, ping: (signal: AbortSignal) => Promise<void>): Pulse {
  const beats = new Set<RunningBeat>();
  let heardMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let asking = false;

  const ask = async (): Promise<void> => {
    asking = true;
    const askedMs = performance.now();
    const limit = AbortSignal.timeout(limits.pingMs);
    try {
      await ping(limit);
      heardMs = performance.now();
    } catch {
      // After work that kept this thread busy, timers come before what has arrived meanwhile: let that be read first.
      await setImmediate();
      await setImmediate();
      if (heardMs < askedMs) for (const beat of beats) beat.giveUp('silent');
    } finally {
      asking = false;
    }
  };
  const look = (): void => {
    const now = performance.now();
    for (const beat of beats) if (now - beat.movedMs >= limits.stallMs) beat.giveUp('stalled');
    const longest = Math.max(...[...beats].map((beat) => now - beat.beganMs));
    if (!asking && longest >= limits.quietMs && now - heardMs >= limits.quietMs) void ask();
  };
  return {
    begin: (signal) => {
      const beat = new RunningBeat(
        signal,
        () => {
          heardMs = performance.now();
        },
        () => {
          beats.delete(beat);
          if (beats.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      );
      beats.add(beat);
      timer ??= setInterval(look, TICK_MS).unref();
      return beat;
    },
  };
}

class RunningBeat implements Beat {
  readonly beganMs: number = performance.now();
  movedMs: number = this.beganMs;
  givenUp: GivenUp | undefined;
  private readonly controller = new AbortController();
  private readonly forget: () => void;
  private readonly heard: () => void;
  private readonly ended: () => void;

  constructor(caller: AbortSignal | undefined, heard: () => void, ended: () => void) {
    this.heard = heard;
    this.ended = ended;
    this.forget = whenAborted(caller, () => this.controller.abort());
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  moved(): void {
    this.movedMs = performance.now();
    this.heard();
  }

  giveUp(why: GivenUp): void {
    this.givenUp ??= why;
    this.controller.abort();
  }

  end(answered: boolean): void {
    this.forget();
    if (answered) this.heard();
    this.ended();
  }
}
