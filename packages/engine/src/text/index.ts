/** Sentences that every front end says in the same words. */
export { formatAge, formatBytes, formatCount, formatDuration, formatRate, plural, visible } from './format.js';
export { gcRemoteText, type RemoteCollection } from './gc-remote.js';
export { decisionText, errorText, warningText } from './messages.js';
export { type Outcome, outcomeText } from './outcome.js';
export { createProgressLines, isLastOfPhase } from './progress-lines.js';
export { createRate } from './rate.js';
export { reasonsText, reasonText } from './reasons.js';
export { sourcesText } from './sources.js';
