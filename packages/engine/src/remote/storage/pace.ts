/** How a request ended: answered, told to come more slowly, or not answered at all. */
export type PaceOutcome = 'done' | 'slower' | 'failed';

/** Decides how many requests to one place run at once. */
export interface Pace {
  /** How many may run now. */
  readonly limit: number;
  /** Waits until a request may begin, in the order of coming. The answer has to be called when it has ended; `bytes`: of both bodies. */
  begin(): Promise<(outcome: PaceOutcome, bytes: number) => void>;
}

/** What a place is assumed to bear until it has shown more. */
const FIRST_LIMIT = 8;
/** Longer bodies say more about the line than about the place. */
const SMALL_BYTES = 64 * 1024;
/** Answers that take so many times longer than the fastest, and so many milliseconds more, wait in a queue somewhere. */
const QUEUED_TIMES = 4;
const QUEUED_MS = 250;
/** Weight of the last answer in the mean. */
const WEIGHT = 0.2;

/**
 * Grows while requests wait and are answered: by one for each answer until the place first complains, then by one for as many answers as there are requests. Halves when the place
 * says that it is too much, and goes back by a fifth when answers to small requests get much slower than they were, in each case once for all requests that were under way. `most` is never
 * passed. `nowMs` is a clock that only goes forward.
 */
export function createPace(most: number, nowMs: () => number): Pace {
  const waiting: (() => void)[] = [];
  let limit = Math.min(FIRST_LIMIT, most);
  let running = 0;
  let isFirstClimb = true;
  let begun = 0;
  /** Requests that had begun when the limit went down last. */
  let begunBefore = 0;
  let fastestMs = Number.POSITIVE_INFINITY;
  let usualMs: number | undefined;

  const startWaiting = (): void => {
    while (waiting.length > 0 && running < Math.floor(limit)) {
      running++;
      waiting.shift()?.();
    }
  };
  const slow = (factor: number): void => {
    limit = Math.max(1, limit * factor);
    isFirstClimb = false;
    begunBefore = begun;
    usualMs = undefined;
  };
  const isQueued = (tookMs: number): boolean => {
    fastestMs = Math.min(fastestMs, tookMs);
    usualMs = usualMs === undefined ? tookMs : usualMs + WEIGHT * (tookMs - usualMs);
    return usualMs > QUEUED_TIMES * fastestMs && usualMs > fastestMs + QUEUED_MS;
  };
  const learn = (outcome: PaceOutcome, number: number, tookMs: number | undefined, wasFull: boolean): void => {
    if (outcome === 'failed') return;
    const queued = outcome === 'done' && tookMs !== undefined && isQueued(tookMs);
    if (outcome === 'slower' || queued) {
      // Those that had begun before the last step say nothing about it.
      if (number > begunBefore) slow(queued ? 0.8 : 0.5);
    } else if (wasFull) limit = Math.min(most, limit + (isFirstClimb ? 1 : 1 / limit));
  };
  return {
    get limit() {
      return Math.floor(limit);
    },
    begin: async () => {
      await new Promise<void>((start) => {
        waiting.push(start);
        startWaiting();
      });
      const beganMs = nowMs();
      const number = ++begun;
      let ended = false;
      return (outcome, bytes) => {
        if (ended) return;
        ended = true;
        const tookMs = bytes <= SMALL_BYTES ? nowMs() - beganMs : undefined;
        learn(outcome, number, tookMs, running >= Math.floor(limit));
        running--;
        startWaiting();
      };
    },
  };
}
