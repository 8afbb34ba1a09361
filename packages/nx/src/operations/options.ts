import type { HistoryScope } from '@sluice/engine';

/** Selectors: `project`, `project:target`, `project:target#glob`. */
export interface SelectOption {
  readonly select?: readonly string[];
}

/** One name, or several. */
type Names = string | readonly string[];

/** Revisions whose locks count beside that of the workspace. */
export interface HistoryOptions {
  readonly allBranches?: boolean;
  readonly allTags?: boolean;
  readonly allCommits?: boolean;
  readonly rev?: readonly string[];
}

export interface StatusOptions extends SelectOption {
  /** `true`: the remote of each out. */
  readonly remote?: boolean | Names;
  readonly exitCode?: boolean;
}

export interface CheckoutOptions extends SelectOption {
  readonly rev?: string;
  readonly force?: boolean;
  readonly link?: 'reflink' | 'hardlink' | 'copy';
  readonly strict?: boolean;
}

export interface PullOptions extends SelectOption {
  readonly remote?: Names;
  readonly rev?: string;
  readonly history?: boolean;
  readonly maxBytes?: number;
  readonly force?: boolean;
}

export interface PushOptions extends SelectOption, HistoryOptions {
  readonly remote?: Names;
  readonly dryRun?: boolean;
}

export interface GcOptions extends HistoryOptions {
  readonly since?: string;
  readonly num?: number;
  readonly recordsDays?: number;
  readonly allowUnpushed?: boolean;
  readonly dryRun?: boolean;
  /** Collected instead of the store. */
  readonly remote?: string;
  readonly graceDays?: number;
  readonly foreignDays?: number;
}

/** What a target without `select` is about: the stages of its own project. */
export function selectOf({ select }: SelectOption, project: string | undefined): readonly string[] {
  return select ?? (project === undefined ? [] : [project]);
}

/** Names of remotes in the words of the engine; nothing if none is named. */
export function namesOf(remote: Names | undefined): { readonly remotes?: readonly string[] } {
  if (remote === undefined) return {};
  return { remotes: typeof remote === 'string' ? [remote] : remote };
}

/** Options of a scope in the words of the engine. */
export function scopeOf({ rev, ...scope }: HistoryOptions): HistoryScope {
  const { allBranches, allTags, allCommits } = scope;
  return {
    ...(allBranches === undefined ? {} : { allBranches }),
    ...(allTags === undefined ? {} : { allTags }),
    ...(allCommits === undefined ? {} : { allCommits }),
    ...(rev === undefined ? {} : { revs: rev }),
  };
}
