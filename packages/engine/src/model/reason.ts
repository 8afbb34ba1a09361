import type { PartKind } from './parts.js';

/**
 * One reason for a stage's state. For a part of the fingerprint `kind` is the part's; the others: `out` (a part, or an out that is not as
 * locked), `new` (never committed), `always` (declared so), `forced` (asked for), `upstream` (a dep is absent and its producer has no
 * result), `merged` (a merge put its outs together, and no run made them), `lost` (data that is in no place any more), `error` (a part cannot be found out; `name` says why, `after` is the code).
 */
export interface Reason {
  readonly kind: PartKind | 'new' | 'always' | 'forced' | 'upstream' | 'merged' | 'lost' | 'error';
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}
