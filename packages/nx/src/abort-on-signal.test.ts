import { EventEmitter } from 'node:events';
import { abortOnSignal } from './abort-on-signal.js';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s aborts, once and for all', (name) => {
  const process = new EventEmitter();
  const { signal, release } = abortOnSignal(process);
  expect(signal.aborted).toBe(false);
  process.emit(name);
  process.emit(name);
  expect(signal.aborted).toBe(true);
  release();
  expect(process.eventNames()).toEqual([]);
});
