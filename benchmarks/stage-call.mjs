// @ts-check
// node stage-call.mjs ROOT PROJECT:TARGET [--force]: brings one stage up to date as the Nx executor does, with the engine opened before, and
// prints as JSON what became of it and how long the call took.
import { openEngine } from '@sluice/engine';

const [root = '', name = '', flag] = process.argv.slice(2);
const [project = '', target = ''] = name.split(':');
const engine = await openEngine({ root, env: process.env });
const startedMs = performance.now();
const { outcome, files } = await engine.runStage(
  { id: { project, target } },
  { force: flag === '--force', wait: true, materialize: true },
);
const seconds = (performance.now() - startedMs) / 1000;
await engine.close();
console.log(JSON.stringify({ outcome, files, seconds }));
