/** Sentences that every front end says in the same words. */
export { formatBytes, formatCount, formatDuration, plural } from './format.js';
export { decisionText, errorText, progressText, warningText } from './messages.js';
export { type Outcome, outcomeText } from './outcome.js';
export { reasonsText, reasonText } from './reasons.js';
