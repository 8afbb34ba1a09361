import type { Emit } from '../events.js';
import type { Digest } from '../model/digest.js';
import type { Lock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { PathFilter } from '../model/path-filter.js';
import type { StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import type { Workspace } from '../workspace/workspace.js';
import type { OutIndex } from './out-index.js';
import type { Stage, StageId } from './stage.js';

/** All stages of a workspace. */
export interface Stages {
  readonly all: readonly Stage[];
  readonly outs: OutIndex;
  get(id: StageId): Stage | undefined;
}

/** Which part of a root is wanted; nothing for all of it. */
export interface Want {
  readonly root: OutRoot;
  /** Name of the out's own remote, where it is not the default one. It is asked first, then the others. */
  readonly remote?: string | undefined;
  readonly filter?: PathFilter | undefined;
}

/**
 * What stages need of remotes. A remote that is down is told once as a warning and then answers nothing: it makes a run slower, never wrong.
 */
export interface RemoteSource {
  /** The record of a fingerprint from the areas that may be trusted, of the first remote that has one and its data. */
  findRecord(fingerprint: Digest): Promise<StageRecord | undefined>;
  /** Whether all of a root is on any of them. */
  has(want: Want): Promise<boolean>;
  /**
   * Brings what is wanted and missing into the store, from one remote after another, or only from those with the names of `from`. Throws `ERR_NOT_LOCAL` if it
   * cannot be had, `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED` if a remote that may have it does not answer.
   */
  fetch(wants: readonly Want[], what: 'trees' | 'everything', from?: readonly string[]): Promise<Fetched>;
}

/** What came from a remote. */
export interface Fetched {
  readonly files: number;
  readonly bytes: number;
  /** Names of the remotes that gave it; `undefined` if nothing was missing. */
  readonly remote: string | undefined;
}

/** Everything that deciding about and running stages needs. */
export interface StageContext {
  readonly workspace: Workspace;
  readonly stages: Stages;
  readonly remotes: RemoteSource;
  /** The trust area that records are written in. */
  readonly area: string;
  /** The environment of commands; also what `env` parts are read from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly emit: Emit;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
  /** Reads the lock of a project; an absent one is empty. */
  readLock(projectRoot: RelPath): Lock;
}
