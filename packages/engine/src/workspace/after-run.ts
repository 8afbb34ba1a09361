import { type Environment, readConfig } from './config.js';

/** What the configuration of a workspace wants to be done after a run. Throws `ERR_CONFIG`. */
export function wantedAfterRun(root: string, env: Environment): { readonly push: boolean; readonly gc: boolean } {
  const { push, gc } = readConfig(root, env);
  return { push: push === 'after-run', gc: gc === 'after-run' };
}
