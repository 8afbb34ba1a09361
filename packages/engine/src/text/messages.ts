import type { ErrorWire } from '../errors.js';
import type { SluiceEvent } from '../events.js';
import { formatBytes, formatCount } from './format.js';
import { reasonsText } from './reasons.js';

/** An error for a person: code, what and where, and what to do. */
export function errorText({ code, message, hint, details }: ErrorWire): string {
  const problems = Array.isArray(details?.problems) && typeof details.problems[0] === 'string' ? details.problems : [];
  const lines = [`${code}: ${message}`];
  if (problems.length > 1 && !message.includes('\n'))
    for (const problem of problems) lines.push(`  - ${String(problem)}`);
  if (hint !== undefined) lines.push(`  ${hint}`);
  return lines.join('\n');
}

/** What is decided about a stage, before it is done: `ran: params.yaml:lr 0.1 -> 0.2`. `undefined` where the outcome says it all. */
export function decisionText(event: Extract<SluiceEvent, { type: 'decision' }>): string | undefined {
  if (event.reasons.length === 0) return undefined;
  const verb = { unchanged: 'unchanged', restore: 'restoring', run: 'running', commit: 'committing' }[event.decision];
  return `${verb}: ${reasonsText(event.reasons)}`;
}

/** A warning with what to do. */
export function warningText(event: Extract<SluiceEvent, { type: 'warning' }>): string {
  return `warning: ${event.message}${event.hint === undefined ? '' : `\n  ${event.hint}`}`;
}

/** How far bulk work has come: `hashing data/raw: 1,204 of 70,000 files, 310 MiB`, and what `createRate` says of it. */
export function progressText(event: Extract<SluiceEvent, { type: 'progress' }>, rate = ''): string {
  const of = event.totalFiles === 0 ? '' : ` of ${formatCount(event.totalFiles)}`;
  return `${event.phase} ${event.subject}: ${formatCount(event.files)}${of} files, ${formatBytes(event.bytes)}${rate}`;
}
