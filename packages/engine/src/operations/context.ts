import type { StageContext } from '../stage/context.js';
import type { LoadedStages } from '../stage/load-stages.js';
import type { Config } from '../workspace/config.js';
import type { WorkspaceProjects } from '../workspace/projects.js';
import type { Remotes } from './remotes.js';

/** What an operation of the engine works on: the stages of a workspace, its configuration and its remotes. */
export interface OperationContext extends StageContext {
  readonly projects: WorkspaceProjects;
  readonly stages: LoadedStages;
  readonly config: Config;
  readonly remotes: Remotes;
}
