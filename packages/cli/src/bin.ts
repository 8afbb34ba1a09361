#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { openEngine } from '@sluice/engine';
import { main } from './main.js';

const controller = new AbortController();
const INTERRUPTED = 130;

// The first signal lets the work end well; a second one ends the process at once.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  });
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

void main(
  process.argv.slice(2),
  { stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(), signal: controller.signal },
  openEngine,
  version,
).then((code) => {
  process.exitCode = code;
});
