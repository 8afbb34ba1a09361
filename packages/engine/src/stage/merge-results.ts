import type { RunResult } from './run-stage.js';

/** From what needs no word to what needs one most. */
const OUTCOMES: readonly RunResult['outcome'][] = ['unchanged', 'restored', 'committed', 'ran'];

/** What became of several stages that were asked for under one name. */
export function mergeResults(results: readonly RunResult[]): RunResult {
  const rank = ({ outcome }: RunResult): number => OUTCOMES.indexOf(outcome);
  const most = results.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  return {
    outcome: most.outcome,
    reasons: most.reasons,
    receivedBytes: results.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    savedMs: results.reduce((sum, { savedMs }) => sum + savedMs, 0),
    files: results.reduce((sum, { files }) => sum + files, 0),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    source: results.find(({ source }) => source !== undefined)?.source,
    referenceOnly: results.flatMap(({ referenceOnly }) => [...referenceOnly]),
  };
}
