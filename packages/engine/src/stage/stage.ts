import type { RelPath } from '../model/path.js';

/** How the files of an out may be changed by hand: `strict` read-only and linkable, `flexible` a private copy, `mutable` taken as they are, `append-only` new files only. */
export type Mutability = 'strict' | 'flexible' | 'mutable' | 'append-only';

/** `project:target`. */
export interface StageId {
  readonly project: string;
  readonly target: string;
}

/** A declared output. Paths are relative to the workspace root. */
export interface Out {
  readonly path: RelPath;
  /** `false`: the file is kept in git; up to 1 MiB of it is stored with the record, so that a restore is whole. */
  readonly cache: boolean;
  readonly push: boolean;
  /** Left in place while the command runs. */
  readonly persist: boolean;
  /** Name of the remote of this out, where it is not the default one. */
  readonly remote: string | undefined;
  readonly metrics: boolean;
  readonly mutability: Mutability;
}

/** A declared input: one path (file or directory), or a glob below `base`, its longest part without magic. */
export type Dep =
  | { readonly kind: 'path'; readonly path: RelPath }
  | { readonly kind: 'glob'; readonly pattern: string; readonly base: RelPath };

/** A value in a YAML, JSON or TOML file; without a key the whole file counts. */
export interface Param {
  readonly file: RelPath;
  readonly key: string | undefined;
}

/** How the command of a stage runs: once for each item, and only for those that are new or changed. */
export interface Foreach {
  readonly glob: Extract<Dep, { kind: 'glob' }>;
  /** A regular expression whose group names the item that a file belongs to, by its path below the pattern's base; without it each file is one. */
  readonly groupBy: string | undefined;
  /** Commands at the same time; `undefined`: as many as there are processors. */
  readonly atOnce: number | undefined;
  /** The directory that is put together from what the items make. */
  readonly out: RelPath;
}

/** A checked stage: what a target's options mean. Made only by `defineStage`. */
export interface Stage {
  readonly id: StageId;
  readonly projectRoot: RelPath;
  /** `undefined`: a tracked dataset. */
  readonly command: string | undefined;
  readonly cwd: RelPath;
  readonly foreach: Foreach | undefined;
  /** That of `foreach` among them. */
  readonly deps: readonly Dep[];
  readonly params: readonly Param[];
  /** Names of environment variables whose values count. */
  readonly env: readonly string[];
  /** Commands whose output counts. */
  readonly runtime: readonly string[];
  /** Sorted by path. */
  readonly outs: readonly Out[];
  /** Runs whatever the fingerprint says. */
  readonly always: boolean;
  /** Deps are not looked at; the locked result is the result. */
  readonly frozen: boolean;
  /** Overrides when an unchanged or restorable stage puts its outs in place. */
  readonly materialize: 'eager' | 'lazy' | undefined;
  /** What happens when a dep changes while the command runs. */
  readonly onDepChange: 'fail' | 'warn';
}

/** `project:target`, for messages and file names. */
export function stageName(id: StageId): string {
  return `${id.project}:${id.target}`;
}
