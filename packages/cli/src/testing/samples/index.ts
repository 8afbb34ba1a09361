// One report of each kind, as the engine gives them.
export * from './data.js';
export * from './history.js';
export * from './merges.js';
export * from './stages.js';
export * from './transfers.js';
export * from './upkeep.js';
export { sampleDigest } from './values.js';
