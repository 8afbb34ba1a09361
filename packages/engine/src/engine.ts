import type { Emit } from './events.js';
import type {
  CheckoutReport,
  CommitReport,
  ExplainReport,
  FetchReport,
  GcExplanation,
  GcReport,
  InitReport,
  PullReport,
  PushReport,
  RemoteReport,
  StoreStat,
  VerifyReport,
} from './operations/reports.js';
import type { StatusReport } from './operations/status.js';
import type { ChosenStage } from './stage/load-stages.js';
import type { RunOptions, RunResult } from './stage/run-stage.js';
import type { LinkKind } from './workspace/place-batch.js';

/** How an engine is opened. */
export interface EngineOptions {
  /** Absolute path of the workspace root: the directory of `nx.json`. See `findWorkspaceRoot`. */
  readonly root: string;
  /** The environment: what `env` parts, commands and `SLUICE_*` settings are read from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly emit?: Emit;
  readonly signal?: AbortSignal;
  /** Talk to no remote, as with `SLUICE_OFFLINE=1`. */
  readonly offline?: boolean;
  /** Threads for bulk file work; 1 and more use workers for large jobs, 0 does everything on this thread. */
  readonly threads?: number;
  /** The built `worker.js`, where this module does not lie beside it (a bundle, or sources under test). */
  readonly workerFile?: URL;
}

/** Selectors: `P:T`, `P`, `P:T#glob`; empty for all stages. */
export type Select = readonly string[];

/** Which revisions' locks count besides the workspace's. */
export interface HistoryScope {
  readonly allBranches?: boolean;
  readonly allTags?: boolean;
  readonly allCommits?: boolean;
  readonly revs?: readonly string[];
  /** ISO 8601 date or anything that git takes. */
  readonly since?: string;
  /** The last n commits of HEAD. */
  readonly num?: number;
}

/** Options of `gc`. The workspaces of the store always count. */
export interface GcOptions extends HistoryScope {
  /** Results recorded within this time count too. */
  readonly recordsMs?: number;
  readonly allowUnpushed?: boolean;
  readonly forgetWorkspace?: string;
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
}

/** Every operation of Sluice. Errors are `SluiceError`s with the codes of `docs/errors.md`. */
export interface Engine {
  readonly root: string;
  /** Brings one stage up to date. */
  runStage(stage: ChosenStage, options: RunOptions): Promise<RunResult>;
  /** The state of stages and outs; `remotes`: names to ask, or `default`. */
  status(options: { readonly select: Select; readonly remotes?: readonly string[] | 'default' }): Promise<StatusReport>;
  /** Outs in the workspace to store and lock. */
  commit(options: { readonly select: Select; readonly force?: boolean }): Promise<CommitReport>;
  /** Workspace := lock, or the lock of a revision. */
  checkout(options: {
    readonly select: Select;
    readonly rev?: string;
    readonly force?: boolean;
    readonly link?: LinkKind;
    readonly strict?: boolean;
  }): Promise<CheckoutReport>;
  /** Remote to store. */
  fetch(options: FetchOptions): Promise<FetchReport>;
  /** Remote to store and workspace. */
  pull(options: FetchOptions & { readonly force?: boolean }): Promise<PullReport>;
  /** Store to remote. */
  push(
    options: HistoryScope & { readonly select: Select; readonly remote?: string; readonly dryRun?: boolean },
  ): Promise<PushReport>;
  gc(options: GcOptions): Promise<GcReport>;
  /** Why an object (by digest), or the object of a path in the workspace, would be kept. */
  explainGc(options: GcOptions & { readonly what: string }): Promise<GcExplanation>;
  verify(options: { readonly deep?: boolean; readonly repair?: boolean; readonly remote?: string }): Promise<VerifyReport>;
  explain(selector: string): Promise<ExplainReport>;
  storeStat(): Promise<StoreStat>;
  init(options: { readonly remote?: string }): Promise<InitReport>;
  remotes(): readonly RemoteReport[];
  addRemote(options: {
    readonly name: string;
    readonly url: string;
    readonly endpoint?: string;
    readonly region?: string;
    readonly forcePathStyle?: boolean;
  }): Promise<void>;
  removeRemote(name: string): Promise<void>;
  setDefaultRemote(name: string): Promise<void>;
  /** Milliseconds until a remote answered. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED`. */
  pingRemote(name: string | undefined): Promise<{ readonly remote: string; readonly ms: number }>;
  /** Ends worker threads and closes files. */
  close(): Promise<void>;
}
