import { asSluiceError, type ErrorWire, toErrorWire } from '../errors.js';
import type { RelPath } from '../model/path.js';
import { loadCheckedJson, saveCheckedJson } from '../workspace/checked-json.js';
import { optionsOf } from '../workspace/find-target.js';
import { looksUnchanged, type Sighting } from '../workspace/project-sources.js';
import { readProjects, type WorkspaceProjects } from '../workspace/projects.js';
import { fileSystemNow } from '../workspace/projects-cache.js';
import type { Project, StageTarget } from '../workspace/read-project.js';
import { checkStages } from './check-stages.js';
import { stuckStages } from './circle.js';
import { defineStage } from './define.js';
import { indexOuts, type Producer, producersOf } from './out-index.js';
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
  readonly problem?: ErrorWire | undefined;
  /** For a stage of a matrix, which no file declares by itself: the target that has the matrix, and what is declared for this combination. */
  readonly combination?: { readonly of: string; readonly declared: StageTarget } | undefined;
}

/** What a stage is by itself. */
type LoneNode = Omit<StageNode, 'producers'>;

/** Nodes, and what they were read from. */
interface GraphSnapshot {
  readonly paths: readonly string[];
  readonly sightings: readonly Sighting[];
  readonly nodes: readonly StageNode[];
}

const FORMAT = 'sluice-graph-2';

/**
 * Who makes what for whom among the stages that `paths` declare (`project.json` and `package.json` files, relative to `root`). Nothing but declarations is
 * read, and with a `cacheFile` (it may be absent, stale or damaged) only those that changed are more than looked at. What is wrong with a stage, or with all of
 * them together, is in its node; throws `ERR_WORKSPACE` for a broken `nx.json`.
 */
export function stageGraph(
  root: string,
  paths: readonly string[],
  { cacheFile }: { readonly cacheFile?: string } = {},
): readonly StageNode[] {
  const cached = cacheFile === undefined ? undefined : loadGraph(cacheFile);
  if (cached !== undefined && isCurrent(root, paths, cached)) return cached.nodes;
  const nowMs = cacheFile === undefined ? 0 : fileSystemNow(cacheFile);
  const read = readProjects(root, paths, nowMs);
  const nodes = connect(loneNodes(read));
  if (cacheFile !== undefined && nowMs > 0) {
    saveCheckedJson(cacheFile, FORMAT, JSON.stringify({ paths, sightings: read.sightings, nodes }));
  }
  return nodes;
}

/** The digest says that this is what was written here, so its shape is known. */
function loadGraph(cacheFile: string): GraphSnapshot | undefined {
  return loadCheckedJson(cacheFile, FORMAT) as GraphSnapshot | undefined;
}

function isCurrent(root: string, paths: readonly string[], cached: GraphSnapshot): boolean {
  const isSame = paths.length === cached.paths.length && paths.every((path, at) => path === cached.paths[at]);
  return isSame && cached.sightings.every((sighting) => looksUnchanged(root, sighting));
}

function loneNodes({ projects }: WorkspaceProjects): LoneNode[] {
  return [...projects.values()].flatMap((project) => {
    const matrixOf = new Map(
      [...project.matrices].flatMap(([of, made]) => made.map((target) => [target, of] as const)),
    );
    return [...project.stages].map(([target, declared]): LoneNode => {
      const of = matrixOf.get(target);
      const node = loneNode(project, target, declared);
      return of === undefined ? node : { ...node, combination: { of, declared } };
    });
  });
}

function loneNode(project: Project, target: string, declared: StageTarget): LoneNode {
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
    return { ...place, variants };
  } catch (error) {
    return { ...place, variants: [], problem: toErrorWire(asSluiceError(error)) };
  }
}

function connect(nodes: readonly LoneNode[]): StageNode[] {
  const bases = nodes.flatMap(({ variants }) => variants.slice(0, 1));
  const outs = indexOuts(bases);
  const shared = problemOfAll(bases);
  const linked = nodes.map((node) => ({
    node,
    producers: node.variants.flatMap((stage) => producersOf(stage, outs)),
  }));
  const stuck = stuckStages(
    new Map(
      linked.map(({ node, producers }) => {
        const names = new Set(producers.map(({ producer }) => stageName(producer)));
        return [stageName(node.id), [...names]];
      }),
    ),
  );
  return linked.map(({ node, producers }) => ({
    ...node,
    producers: stuck.has(stageName(node.id))
      ? producers.filter(({ producer }) => !stuck.has(stageName(producer)))
      : producers,
    problem: node.problem ?? shared,
  }));
}

/** What only all stages together can break stops each of them. */
function problemOfAll(stages: readonly Stage[]): ErrorWire | undefined {
  try {
    checkStages(stages);
    return undefined;
  } catch (error) {
    return toErrorWire(asSluiceError(error));
  }
}
