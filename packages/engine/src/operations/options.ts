import type { HistoryScope } from '../history/scope.js';

/** Selectors: `P:T`, `P`, `P:T#glob`; empty for all stages. */
export type Select = readonly string[];

/** Options of `gc`. The workspaces of the store always count. */
export interface GcOptions extends HistoryScope {
  /** Results recorded within this time count too. */
  readonly recordsMs?: number;
  readonly allowUnpushed?: boolean;
  readonly forgetWorkspace?: string;
  readonly dryRun?: boolean;
}

/** Options of the collection of a remote. All branches and tags count, and the scope adds to them. */
export interface GcRemoteOptions extends HistoryScope {
  readonly remote: string;
  /** Results recorded within this time count too. */
  readonly recordsMs?: number;
  /** How long what is condemned stays; a day if it is not given. */
  readonly graceMs?: number;
  /** Also gives up roots that no commit names, if their maps are older than this. */
  readonly foreignMs?: number;
  readonly dryRun?: boolean;
}

/** Options of `fetch` and `pull`. */
export interface FetchOptions {
  readonly select: Select;
  readonly remote?: string;
  readonly rev?: string;
  /** Every version that the history of the stages' locks names. */
  readonly history?: boolean;
  readonly maxBytes?: number;
  /** A part of the files of each out: `random:1/10`, `group:1/5` or `range:0:100:5`. */
  readonly sample?: string;
  /** Which of the random samples: a whole number from 0 up; 0 unless given. */
  readonly seed?: number;
}
