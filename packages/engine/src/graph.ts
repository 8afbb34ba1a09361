/** What the graph plugin of Nx needs, apart from the engine: Nx loads it for each of its commands. */
export type { Producer } from './stage/out-index.js';
export type { Dep, Out, Param, Stage, StageId } from './stage/stage.js';
export { type StageNode, stageGraph } from './stage/stage-graph.js';
export { graphCachePath } from './workspace/state-dir.js';
