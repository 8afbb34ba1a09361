import { type Environment, readConfig } from './config.js';

/** What is done while the stages of a command run, and after it. */
export interface WantedAfterRun {
  readonly pushWhileRunning: boolean;
  readonly push: boolean;
  readonly gc: boolean;
}

/** What the configuration of a workspace wants to be done beside and after a run. Throws `ERR_CONFIG`. */
export function wantedAfterRun(root: string, env: Environment): WantedAfterRun {
  const { push, gc } = readConfig(root, env);
  return { pushWhileRunning: push === 'while-running', push: push !== 'manual', gc: gc === 'after-run' };
}
