import { diffMarkdown } from '@sluice/engine';
import type { Review } from './review-data.js';
import { code, relativeName } from './summary.js';

/** With a marker, a line about the run and several workspaces it still fits into a comment. */
const MOST_CHARACTERS = 60_000;

/** What a step made, in Markdown, for people who decide on it; `undefined` where nothing differs or nothing is known. */
export function reviewText(
  runs: readonly { readonly root: string; readonly review: Review | undefined }[],
  checkout: string,
): string | undefined {
  const texts = runs.flatMap(({ root, review }) => {
    const text = reviewMarkdown(review, Math.floor(MOST_CHARACTERS / runs.length) - root.length * 8);
    if (text === undefined) return [];
    return runs.length === 1 ? [text] : [`## ${code(relativeName(checkout, root))}\n\n${text}`];
  });
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function reviewMarkdown(review: Review | undefined, mostCharacters: number): string | undefined {
  if (review?.kind !== 'compared') return undefined;
  const { base, report } = review;
  const isEqual = report.outs.length + report.params.length + report.metrics.length === 0;
  return isEqual ? undefined : diffMarkdown(report, { before: base.name, after: 'this run', mostCharacters });
}
