/** The graph plugin: what Nx loads for each of its commands when `nx.json` lists `@sluice/nx`. Everything heavy is imported late. */
export const name = '@sluice/nx';

export { createDependencies } from './graph/create-dependencies.js';
// Nx 22 calls createNodesV2, later ones prefer createNodes.
export { createNodes, createNodes as createNodesV2 } from './graph/create-nodes.js';
export { postTasksExecution, preTasksExecution } from './run/hooks.js';
