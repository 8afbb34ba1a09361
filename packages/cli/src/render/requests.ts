import { formatCount, type RequestCount } from '@sluice/engine';

const KINDS = ['head', 'get', 'put', 'list', 'delete'] as const;

/** `requests: 3 head, 5 put`, or that there were none. */
export function requestsText(requests: RequestCount): string {
  const sent = KINDS.filter((kind) => requests[kind] > 0).map((kind) => `${formatCount(requests[kind])} ${kind}`);
  return `requests: ${sent.length === 0 ? 'none' : sent.join(', ')}`;
}
