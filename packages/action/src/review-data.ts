import { asSluiceError, type DiffReport, type Engine } from '@sluice/engine';
import type { ReviewBase } from './review-base.js';

/** How the data after a run differs from that of the commit which it is compared with. */
export type Review =
  | { readonly kind: 'compared'; readonly base: ReviewBase; readonly report: DiffReport }
  | { readonly kind: 'unknown'; readonly why: string };

/** Compares by locks and trees; trees that are not here come from a remote. Never throws. */
export async function reviewData(engine: Pick<Engine, 'diff'>, base: ReviewBase | undefined): Promise<Review> {
  if (base === undefined)
    return {
      kind: 'unknown',
      why: 'the commit to compare with is not in the clone: set `fetch-depth: 2` or more in the step that checks out',
    };
  try {
    return { kind: 'compared', base, report: await engine.diff({ select: [], before: base.rev, after: 'lock' }) };
  } catch (error) {
    const { code, message } = asSluiceError(error);
    return { kind: 'unknown', why: `${code}: ${message}` };
  }
}
