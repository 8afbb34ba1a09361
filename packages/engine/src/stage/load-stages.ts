import { asSluiceError, SluiceError } from '../errors.js';
import { optionsOf, projectNamed, stagesOfTarget, stageTargetNamed } from '../workspace/find-target.js';
import { expandMatrix, MATRIX_OF_CONFIGURATION } from '../workspace/matrix.js';
import { isObject } from '../workspace/merge-target.js';
import type { WorkspaceProjects } from '../workspace/projects.js';
import { checkStages } from './check-stages.js';
import type { Stages } from './context.js';
import { defineStage } from './define.js';
import { sameOptions } from './same-options.js';
import { type Stage, type StageId, stageName } from './stage.js';

/** A stage as a front end has it: with a configuration chosen, or with options that its host has merged already. */
export interface ChosenStage {
  readonly id: StageId;
  readonly configuration?: string | undefined;
  /** Replaces what `project.json` says. */
  readonly options?: unknown;
}

/** The stages of a workspace and those that cannot be used. */
export interface LoadedStages extends Stages {
  /** By `project:target`. */
  readonly broken: ReadonlyMap<string, SluiceError>;
}

/**
 * Defines every stage of a workspace. A stage whose options are wrong does not stand in the way of the others: it is reported when it is addressed.
 * Throws what `checkStages` throws, and for the chosen stage everything that is wrong with it.
 */
export function loadStages(projects: WorkspaceProjects, chosen?: ChosenStage): LoadedStages {
  const { stages, broken } = defineStages(projects);
  if (chosen !== undefined) stages.set(stageName(chosen.id), defineChosen(projects, chosen));
  const all = [...stages.values()];
  return { all, broken, outs: checkStages(all), get: (id) => stages.get(stageName(id)) };
}

/** Defines each stage by itself; what they are together is not looked at. Both results are by `project:target`. */
export function defineStages(projects: WorkspaceProjects): {
  readonly stages: Map<string, Stage>;
  readonly broken: Map<string, SluiceError>;
} {
  const stages = new Map<string, Stage>();
  const broken = new Map<string, SluiceError>();
  for (const project of projects.projects.values()) {
    for (const [target, declared] of project.stages) {
      const id = { project: project.name, target };
      try {
        stages.set(
          stageName(id),
          defineStage({ project, target, executor: declared.executor, options: optionsOf(declared) }),
        );
      } catch (error) {
        broken.set(stageName(id), asSluiceError(error));
      }
    }
  }
  return { stages, broken };
}

/** The stages that a chosen target stands for: itself, or each of its matrix. Throws `ERR_STAGE_DEFINITION` if its options have a matrix with other values than those declared. */
export function stagesOfChosen(projects: WorkspaceProjects, chosen: ChosenStage): ChosenStage[] {
  const { id, configuration, options } = chosen;
  if (!projects.projects.get(id.project)?.matrices.has(id.target)) return [chosen];
  const filled = isObject(options) ? expandMatrix(id.target, options) : undefined;
  const stages = stagesOfTarget(projects, id.project, id.target);
  if (filled?.some(({ target }) => !stages.some((stage) => stage.target === target))) {
    const { message, hint } = MATRIX_OF_CONFIGURATION;
    throw new SluiceError('ERR_STAGE_DEFINITION', `stage ${stageName(id)}: option matrix: ${message}`, { hint });
  }
  return stages.map((stage) => ({
    id: stage,
    configuration,
    options: filled?.find(({ target }) => target === stage.target)?.options,
  }));
}

/** The same stages with one as it was chosen. Throws like {@link loadStages}. */
export function withChosen(projects: WorkspaceProjects, loaded: LoadedStages, chosen: ChosenStage): LoadedStages {
  const declared = loaded.get(chosen.id);
  if (declared !== undefined && isAsDeclared(projects, chosen)) return loaded;
  const same = declared !== undefined && JSON.stringify(defineChosen(projects, chosen)) === JSON.stringify(declared);
  return same ? loaded : loadStages(projects, chosen);
}

/** The quick answer for a host that has merged what is declared and nothing else. */
function isAsDeclared(projects: WorkspaceProjects, { id, options }: ChosenStage): boolean {
  const project = projectNamed(projects, id.project);
  return options !== undefined && sameOptions(optionsOf(stageTargetNamed(project, id.target)), options, project);
}

function defineChosen(projects: WorkspaceProjects, { id, configuration, options }: ChosenStage): Stage {
  const project = projectNamed(projects, id.project);
  const declared = stageTargetNamed(project, id.target);
  return defineStage({
    project,
    target: id.target,
    executor: declared.executor,
    options: options ?? optionsOf(declared, configuration),
  });
}

/** The stage with this name. Throws what is wrong with it, or `ERR_SELECTOR` if there is none. */
export function stageNamed(projects: WorkspaceProjects, stages: LoadedStages, id: StageId): Stage {
  const stage = stages.get(id);
  if (stage !== undefined) return stage;
  const problem = stages.broken.get(stageName(id));
  if (problem !== undefined) throw problem;
  stageTargetNamed(projectNamed(projects, id.project), id.target);
  throw new SluiceError('ERR_SELECTOR', `no stage ${stageName(id)}`);
}
