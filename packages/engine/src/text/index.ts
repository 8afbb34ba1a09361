/** Sentences that every front end says in the same words. */
export { formatAge, formatBytes, formatCount, formatDuration, formatRate, plural, visible } from './format.js';
export { gcRemoteText, type RemoteCollection } from './gc-remote.js';
export { decisionText, errorText, progressText, warningText } from './messages.js';
export { type Outcome, outcomeText } from './outcome.js';
export { createRate } from './rate.js';
export { reasonsText, reasonText } from './reasons.js';
export { sourcesText } from './sources.js';
