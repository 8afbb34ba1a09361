import { Worker } from 'node:worker_threads';
import { asSluiceError, type ErrorWire, fromErrorWire, SluiceError, throwIfAborted } from '../errors.js';
import type { Files } from '../store/files.js';
import { StoreMoved } from '../store/ingest.js';
import { BulkThread, memoryOf, type ThreadAnswers, type ThreadRequest } from './thread.js';

/** One thread of bulk work, here or in a worker. Requests are answered in order. */
export interface BulkLane {
  ask<R extends ThreadRequest>(request: R): Promise<ThreadAnswers[R['do']]>;
}

/** Where bulk file work is done. */
export interface Bulk {
  /** Lanes for a job of `items` files and `bytes` bytes: this thread for a small one, this thread and workers for many small files, workers for many bytes. */
  lanes(items: number, bytes: number): readonly BulkLane[];
  /** Workers that do a part of what this thread does itself, `items` in all; none for few. */
  helpers(items: number): readonly BulkLane[];
  /** The worker that has the least to do, for work on so many bytes in memory; this thread for little work. */
  idlest(bytes: number): BulkLane;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Below these a worker's start (20 ms) costs more than it saves. */
const INLINE_FILES = 1500;
const INLINE_BYTES = 64 * 1024 * 1024;

/** Below this many looks at files a worker's start is not worth it. */
const HELPED_LOOKS = 4000;
/** More threads than this in one directory only wait for each other in the kernel. */
const MOST_HELPERS = 3;

/** Work on fewer bytes in memory is done before a worker has started. */
const INLINE_MEMORY_BYTES = 4 * 1024 * 1024;

/** A batch for one lane: large enough that posting it does not count, small enough that lanes end together. */
export const BATCH_FILES = 500;
export const BATCH_BYTES: number = 8 * 1024 * 1024;

/** Requests that wait in a worker, so that it never idles while an answer travels. */
const AHEAD = 2;

/** @param workerFile the built `worker.js`; `undefined` does everything on this thread. */
export function createBulk(files: Files, workerFile: URL | undefined, threads: number): Bulk {
  const inline = inlineLane(files);
  let workers: WorkerLane[] = [];
  const start = (file: URL, count: number): readonly WorkerLane[] => {
    workers = workers.filter((worker) => worker.isAlive());
    while (workers.length < count) workers.push(workerLane(file));
    return workers.slice(0, count);
  };
  return {
    lanes: (items, bytes) => {
      const isLight = bytes < INLINE_BYTES;
      if (workerFile === undefined || (items < INLINE_FILES && isLight) || items < 2) return [inline];
      // A worker has to start and get warm, and this thread would only wait.
      if (isLight) return [inline, ...start(workerFile, Math.max(0, threads - 1))];
      return start(workerFile, Math.max(1, threads)).slice(0, items);
    },
    helpers: (items) => {
      const count = Math.min(threads - 1, MOST_HELPERS);
      return workerFile === undefined || items < HELPED_LOOKS || count < 1 ? [] : start(workerFile, count);
    },
    idlest: (bytes) => {
      if (workerFile === undefined || bytes < INLINE_MEMORY_BYTES) return inline;
      const idle = start(workerFile, 1).find((lane) => lane.waiting() === 0);
      if (idle !== undefined) return idle;
      // Each worker takes memory, so another one is started only for work that would wait, and none for the processor that this thread keeps busy.
      const lanes = start(workerFile, Math.min(workers.length + 1, Math.max(1, threads - 1)));
      return lanes.reduce((best, lane) => (lane.waiting() < best.waiting() ? lane : best));
    },
    close: async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.end()));
    },
  };
}

/** One request and what is to be done with its answer. */
export interface Job<R extends ThreadRequest> {
  readonly request: R;
  take(answer: ThreadAnswers[R['do']]): void;
}

/**
 * Deals jobs out to lanes; their answers come in no particular order. After a failure or an abort no further job is dealt, those
 * under way are awaited, and the failure is thrown.
 */
export async function deal<R extends ThreadRequest>(
  lanes: readonly BulkLane[],
  jobs: Iterator<Job<R>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const run = async (lane: BulkLane): Promise<void> => {
    while (failure === undefined) {
      try {
        throwIfAborted(signal);
        const next = jobs.next();
        if (next.done === true) return;
        next.value.take(await lane.ask(next.value.request));
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(lanes.flatMap((lane) => Array.from({ length: AHEAD }, () => run(lane))));
  if (failure !== undefined) throw failure.error;
}

function inlineLane(files: Files): BulkLane {
  const thread = new BulkThread(files);
  return {
    ask: async (request) => {
      // Lets events and signals through between two batches.
      await new Promise((resolve) => setImmediate(resolve));
      return thread.handle(request);
    },
  };
}

interface WorkerLane extends BulkLane {
  isAlive(): boolean;
  /** Requests that it has not answered. */
  waiting(): number;
  end(): Promise<void>;
}

type Answer = { readonly value: never } | { readonly error: ErrorWire } | { readonly moved: true };

function workerLane(file: URL): WorkerLane {
  const worker = new Worker(file, { execArgv: [] });
  worker.unref();
  const waiting: { resolve: (value: never) => void; reject: (error: unknown) => void }[] = [];
  let death: SluiceError | undefined;
  const die = (error: unknown): void => {
    death ??= asSluiceError(error);
    for (const { reject } of waiting.splice(0)) reject(death);
  };
  const settle = (): void => {
    if (waiting.length === 0) worker.unref();
  };
  worker.on('message', (answer: Answer) => {
    const next = waiting.shift();
    settle();
    if ('value' in answer) next?.resolve(answer.value);
    else next?.reject('moved' in answer ? new StoreMoved() : fromErrorWire(answer.error));
  });
  worker.on('error', die);
  worker.on('exit', (code) => die(new SluiceError('ERR_INTERNAL', `a worker thread ended with ${code}`)));
  return {
    isAlive: () => death === undefined,
    waiting: () => waiting.length,
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (death !== undefined) {
          reject(death);
          return;
        }
        waiting.push({ resolve, reject });
        worker.ref();
        worker.postMessage(request, memoryOf(request));
      }),
    end: async () => {
      await worker.terminate();
    },
  };
}
