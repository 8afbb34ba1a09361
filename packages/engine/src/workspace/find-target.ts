import { SluiceError } from '../errors.js';
import { suggestion } from '../util/did-you-mean.js';
import type { JsonObject } from './merge-target.js';
import type { WorkspaceProjects } from './projects.js';
import type { Project, StageTarget } from './read-project.js';

/** The project with this name. Throws `ERR_WORKSPACE` when its files are broken and `ERR_SELECTOR` when there is none. */
export function projectNamed(workspace: WorkspaceProjects, name: string): Project {
  const project = workspace.projects.get(name);
  if (project !== undefined) return project;
  const problem = workspace.problems.find(({ names }) => names.includes(name));
  if (problem !== undefined) {
    throw new SluiceError('ERR_WORKSPACE', `project ${name}: ${problem.file} ${problem.message}`, {
      hint: `Correct ${problem.file}.`,
    });
  }
  throw new SluiceError(
    'ERR_SELECTOR',
    `no project is named ${JSON.stringify(name)}.${suggestion(name, workspace.projects.keys())}`,
    {
      hint: '`sluice status` lists all stages; a selector is project:target.',
    },
  );
}

/** The stage target with this name. Throws `ERR_SELECTOR` when there is none, or when the target is no stage. */
export function stageTargetNamed(project: Project, target: string): StageTarget {
  const stage = project.stages.get(target);
  if (stage !== undefined) return stage;
  const matrix = project.matrices.get(target);
  if (matrix !== undefined) {
    throw new SluiceError('ERR_SELECTOR', `the target ${target} of project ${project.name} has a matrix`, {
      hint: `Choose one of its stages: ${matrix.slice(0, 8).join(', ')}${matrix.length > 8 ? ', …' : ''}.`,
    });
  }
  const message = project.otherTargets.includes(target)
    ? `the target ${target} of project ${project.name} is no stage: it has another executor`
    : `project ${project.name} has no target ${JSON.stringify(target)}.${suggestion(target, project.stages.keys())}`;
  const stages = [...project.stages.keys()];
  throw new SluiceError('ERR_SELECTOR', message, {
    hint: stages.length === 0 ? `Project ${project.name} has no stages.` : `Its stages are: ${stages.join(', ')}.`,
  });
}

/** The stages that a target stands for: itself, or those of its matrix. */
export function stagesOfTarget(
  workspace: WorkspaceProjects,
  project: string,
  target: string,
): { readonly project: string; readonly target: string }[] {
  const stages = workspace.projects.get(project)?.matrices.get(target) ?? [target];
  return stages.map((stage) => ({ project, target: stage }));
}

/** The options of a target in a configuration: the one given, else its default one. Throws `ERR_SELECTOR` when it is not declared. */
export function optionsOf(target: StageTarget, configuration?: string): JsonObject {
  const name = configuration ?? target.defaultConfiguration;
  if (name === undefined) return target.options;
  const overlay = Object.hasOwn(target.configurations, name) ? target.configurations[name] : undefined;
  if (overlay !== undefined) return { ...target.options, ...overlay };
  if (configuration === undefined) return target.options;
  const known = Object.keys(target.configurations);
  throw new SluiceError(
    'ERR_SELECTOR',
    `no configuration is named ${JSON.stringify(name)}.${suggestion(name, known)}`,
    {
      hint: known.length === 0 ? 'The target has no configurations.' : `Known are: ${known.join(', ')}.`,
    },
  );
}
