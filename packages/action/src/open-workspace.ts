import { resolve } from 'node:path';
import { type Engine, findWorkspaceRoot, openEngine, SluiceError } from '@sluice/engine';
import type { Host } from './host.js';
import type { Inputs } from './inputs.js';
import type { Standing } from './standing.js';

/** The roots of the workspaces of a step. Throws `ERR_WORKSPACE` where there is none. */
export function workspaceRoots(host: Host, inputs: Inputs): string[] {
  const roots = inputs.workingDirectories.map((dir) => {
    const root = findWorkspaceRoot(resolve(host.cwd, dir));
    if (root !== undefined) return root;
    throw new SluiceError('ERR_WORKSPACE', `there is no nx.json at or above ${resolve(host.cwd, dir)}`, {
      hint: 'Check out the repository in a step before this one, and name the directory of nx.json with "working-directory".',
    });
  });
  return [...new Set(roots)];
}

/** Opens the engine of this process on a workspace. It has the keys of the job, which what runs in the workspace has not. */
export async function openWorkspace(
  host: Host,
  root: string,
  inputs: Inputs,
  standing: Standing,
  warnings: Set<string>,
  signal: AbortSignal,
): Promise<Engine> {
  return await openEngine({
    root,
    env: inputs.remote === undefined ? host.env : { ...host.env, SLUICE_REMOTE: inputs.remote },
    area: standing.area,
    signal,
    workerFile: new URL('./worker.mjs', import.meta.url),
    emit: (event) => {
      // The log belongs to the child while it runs, so what is worth knowing is told later, each once.
      if (event.type === 'warning') warnings.add(event.message);
    },
  });
}
