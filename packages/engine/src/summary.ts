/** What sums up a run of Nx, apart from the engine: most runs need no more of it, and loading it takes longer than this. */
export { asSluiceError } from './errors.js';
export { formatBytes, formatDuration, plural } from './text/format.js';
export { wantedAfterRun } from './workspace/after-run.js';
