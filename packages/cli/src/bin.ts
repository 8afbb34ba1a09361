#!/usr/bin/env node
import { main } from './main.js';
import { readVersion } from './version.js';

const controller = new AbortController();
const INTERRUPTED = 130;

// The first signal lets the work end well; a second one ends the process at once.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  });
}

// Whoever reads may have seen enough (`sluice status | head`); the work ends as it would have.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Waits until a chunk is written, so that no more is read than somebody takes. */
function writeBytes(bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (process.stdout.destroyed) resolve(false);
    else process.stdout.write(bytes, (error) => resolve(error === undefined || error === null));
  });
}

void main(
  process.argv.slice(2),
  {
    stdout: Object.assign(process.stdout, { writeBytes }),
    stderr: process.stderr,
    readInput: async () => (await process.stdin.setEncoding('utf8').toArray()).join(''),
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
  },
  // The engine is most of what has to be loaded, and help, version and mistakes in arguments do not need it.
  async (options) => (await import('@sluice/engine')).openEngine(options),
  readVersion(),
).then((code) => {
  process.exitCode = code;
});
