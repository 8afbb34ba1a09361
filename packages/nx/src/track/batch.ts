/** Executor `@sluice/nx:track` for many tasks in one process: tracked data is a stage without a command. */
export { default } from '../stage/batch.js';
