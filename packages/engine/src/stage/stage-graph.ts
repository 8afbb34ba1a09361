import { asSluiceError, type SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import { optionsOf } from '../workspace/find-target.js';
import { readProjects } from '../workspace/projects.js';
import type { Project, StageTarget } from '../workspace/read-project.js';
import { checkStages } from './check-stages.js';
import { needsOf, stuckStages } from './circle.js';
import { defineStage } from './define.js';
import { indexOuts, type OutIndex, type Producer, producersOf } from './out-index.js';
import { type Stage, type StageId, stageName } from './stage.js';

/** A stage among the others. */
export interface StageNode {
  readonly id: StageId;
  readonly projectRoot: RelPath;
  /** The file that declares its project. */
  readonly file: RelPath;
  /** What its target means without a configuration, then with each one; empty if it is broken. */
  readonly variants: readonly Stage[];
  /** Who makes what any of the variants reads. Stages on a circle do not name each other. */
  readonly producers: readonly Producer[];
  /** Why it cannot run. */
  readonly problem: SluiceError | undefined;
}

/**
 * Who makes what for whom among the stages that `paths` declare (`project.json` and `package.json` files, relative to `root`). Nothing but declarations is
 * read. What is wrong with a stage, or with all of them together, is in its node; throws `ERR_WORKSPACE` for a broken `nx.json`.
 */
export function stageGraph(root: string, paths: readonly string[]): StageNode[] {
  const nodes: Omit<StageNode, 'producers'>[] = [];
  for (const project of readProjects(root, paths).projects.values()) {
    for (const [target, declared] of project.stages) nodes.push(nodeOf(project, target, declared));
  }
  const bases = nodes.flatMap(({ variants }) => variants.slice(0, 1));
  const outs = indexOuts(bases);
  const shared = problemOfAll(bases);
  const stuck = stuckStages(new Map(nodes.map(({ id, variants }) => [stageName(id), needsOf(variants, outs)])));
  return nodes.map((node) => ({
    ...node,
    producers: producersFor(node, outs, stuck),
    problem: node.problem ?? shared,
  }));
}

function nodeOf(project: Project, target: string, declared: StageTarget): Omit<StageNode, 'producers'> {
  const id = { project: project.name, target };
  const define = (options: unknown): Stage => defineStage({ project, target, executor: declared.executor, options });
  const place = { id, projectRoot: project.root, file: project.file };
  try {
    const variants = [define(optionsOf(declared))];
    for (const configuration of Object.keys(declared.configurations)) {
      try {
        variants.push(define(optionsOf(declared, configuration)));
      } catch {
        // It is reported when somebody asks for this configuration.
      }
    }
    return { ...place, variants, problem: undefined };
  } catch (error) {
    return { ...place, variants: [], problem: asSluiceError(error) };
  }
}

/** What only all stages together can break stops each of them. */
function problemOfAll(stages: readonly Stage[]): SluiceError | undefined {
  try {
    checkStages(stages);
    return undefined;
  } catch (error) {
    return asSluiceError(error);
  }
}

function producersFor(
  { id, variants }: Pick<StageNode, 'id' | 'variants'>,
  outs: OutIndex,
  stuck: ReadonlySet<string>,
): Producer[] {
  const producers = variants.flatMap((stage) => producersOf(stage, outs));
  return stuck.has(stageName(id)) ? producers.filter(({ producer }) => !stuck.has(stageName(producer))) : producers;
}
