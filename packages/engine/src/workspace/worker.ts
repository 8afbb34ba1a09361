import { parentPort } from 'node:worker_threads';
import { asSluiceError, toErrorWire } from '../errors.js';
import { realFiles } from '../store/files.js';
import { StoreMoved } from '../store/ingest.js';
import { BulkThread, memoryOf, type ThreadRequest } from './thread.js';

/** Answers of a worker thread: a value, an error, or "a collection moved objects, begin again". */
const thread = new BulkThread(realFiles);

parentPort?.on('message', (request: ThreadRequest) => {
  try {
    const value = thread.handle(request);
    parentPort?.postMessage({ value }, memoryOf(request, value));
  } catch (error) {
    parentPort?.postMessage(
      error instanceof StoreMoved ? { moved: true } : { error: toErrorWire(asSluiceError(error)) },
    );
  }
});
