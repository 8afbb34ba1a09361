import { graphCachePath, type StageNode, stageGraph } from '@sluice/engine/graph';
import { inputsOf, type NodesByName, tokenPath } from './inputs.js';
import { matrixMetadata, metadataOf } from './metadata.js';
import { nodeName } from './names.js';
import type { CreateNodes, CreateNodesResults, InferredTarget } from './nx-shapes.js';

/** The files that declare projects. */
const DECLARATIONS = '{project.json,package.json,**/project.json,**/package.json}';

/**
 * Completes the targets that are stages: what Nx must not cache, what they read and make, which other stages they wait for, and what they are. Never throws, since that
 * would break every command of the workspace: what is wrong with a stage is reported when it runs.
 */
export const createNodes: CreateNodes = [
  DECLARATIONS,
  (files, _options, { workspaceRoot }) => {
    try {
      const cacheFile = graphCachePath(workspaceRoot);
      const nodes = stageGraph(workspaceRoot, files, cacheFile === undefined ? {} : { cacheFile });
      return resultsOf(workspaceRoot, nodes, new Set(files));
    } catch {
      return [];
    }
  },
];

function resultsOf(root: string, nodes: readonly StageNode[], files: ReadonlySet<string>): CreateNodesResults {
  const byName: NodesByName = new Map(nodes.map((node) => [nodeName(node.id), node]));
  const byFile = new Map<string, { root: string; targets: Record<string, InferredTarget> }>();
  for (const node of nodes) {
    // What Nx did not name would become a project that Nx does not know.
    if (!files.has(node.file)) continue;
    const entry = byFile.get(node.file) ?? { root: node.projectRoot === '' ? '.' : node.projectRoot, targets: {} };
    entry.targets[node.id.target] = { ...declaredTarget(node), ...inferredTarget(root, node, byName) };
    const { combination } = node;
    if (combination !== undefined) entry.targets[combination.of] = matrixTarget(nodes, node, combination.of);
    byFile.set(node.file, entry);
  }
  return [...byFile].map(
    ([file, entry]) => [file, { projects: { [entry.root]: { targets: entry.targets } } }] as const,
  );
}

/** A stage of a matrix is in no file, so all of its target is said here. */
function declaredTarget({ combination }: StageNode): Partial<InferredTarget> {
  if (combination === undefined) return {};
  const { executor, options, configurations, defaultConfiguration } = combination.declared;
  return {
    executor,
    options,
    ...(Object.keys(configurations).length === 0 ? {} : { configurations }),
    ...(defaultConfiguration === undefined ? {} : { defaultConfiguration }),
  };
}

/** Nx runs the stages, side by side where it can; then there is nothing left to do for the target that has the matrix. */
function matrixTarget(nodes: readonly StageNode[], { id, file }: StageNode, of: string): InferredTarget {
  const stages = nodes
    .filter((other) => other.file === file && other.id.project === id.project && other.combination?.of === of)
    .map((other) => other.id.target);
  return { cache: false, dependsOn: stages, metadata: matrixMetadata(stages) };
}

function inferredTarget(root: string, node: StageNode, nodes: NodesByName): InferredTarget {
  const metadata = metadataOf(node);
  const [stage] = node.variants;
  if (stage === undefined) return { cache: false, metadata };
  const inputs = inputsOf(root, node, nodes);
  return {
    cache: false,
    ...(inputs === undefined ? {} : { inputs }),
    outputs: stage.outs.map(({ path }) => tokenPath(path, node.projectRoot)),
    dependsOn: dependsOn(node),
    metadata,
  };
}

function dependsOn({ id, producers }: StageNode): NonNullable<InferredTarget['dependsOn']> {
  const needed = new Map(producers.map(({ producer }) => [nodeName(producer), producer]));
  return [...needed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { project, target }]) => (project === id.project ? target : { projects: [project], target }));
}
