import { resolve } from 'node:path';
import { type Engine, findWorkspaceRoot, openEngine, SluiceError } from '@sluice/engine';
import type { Host } from './host.js';
import type { Inputs } from './inputs.js';
import type { Standing } from './standing.js';

/** The roots of the workspaces of a step. Throws `ERR_WORKSPACE` where there is none. */
export function workspaceRoots(host: Host, inputs: Pick<Inputs, 'workingDirectories'>): string[] {
  const roots = inputs.workingDirectories.map((dir) => {
    const root = findWorkspaceRoot(resolve(host.cwd, dir));
    if (root !== undefined) return root;
    throw new SluiceError('ERR_WORKSPACE', `there is no nx.json at or above ${resolve(host.cwd, dir)}`, {
      hint: 'Check out the repository in a step before this one, and name the directory of nx.json with "working-directory".',
    });
  });
  return [...new Set(roots)];
}

/** A workspace that is open, and what its processes take for its default remote. */
export interface OpenedWorkspace {
  readonly engine: Engine;
  /** For `SLUICE_REMOTE`; `undefined` where the configuration says it. */
  readonly remote: string | undefined;
}

/** Needs no configuration, and is there in every job. */
const CACHE_OF_THE_JOB = 'actions-cache:';

/**
 * Opens the engine of this process on a workspace. It has the keys of the job, which what runs in the workspace has not. Where no remote is configured, the cache of the
 * repository is one.
 */
export async function openWorkspace(
  host: Host,
  root: string,
  inputs: Pick<Inputs, 'remote' | 'trust'>,
  standing: Standing,
  warnings: Set<string>,
  signal: AbortSignal,
): Promise<OpenedWorkspace> {
  const open = (remote: string | undefined): Promise<Engine> =>
    openEngine({
      root,
      env: remote === undefined ? host.env : { ...host.env, SLUICE_REMOTE: remote },
      area: standing.area,
      trust: inputs.trust,
      signal,
      workerFile: new URL('./worker.mjs', import.meta.url),
      emit: (event) => {
        // The log belongs to the child while it runs, so what is worth knowing is told later, each once.
        if (event.type === 'warning') warnings.add(event.message);
      },
    });
  const engine = await open(inputs.remote);
  try {
    const isAlone = inputs.remote === undefined && engine.remotes().length === 0;
    if (!isAlone || !host.env.ACTIONS_RUNTIME_TOKEN) return { engine, remote: inputs.remote };
  } catch (error) {
    await engine.close();
    throw error;
  }
  await engine.close();
  return { engine: await open(CACHE_OF_THE_JOB), remote: CACHE_OF_THE_JOB };
}
