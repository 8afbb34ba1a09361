import type { Emit } from './events.js';
import type { BackgroundPush } from './operations/background-push.js';
import type { BlameOptions, BlameReport } from './operations/blame.js';
import type { CatOptions, CatReport } from './operations/cat.js';
import type { DeclarationsReport } from './operations/declarations.js';
import type { DiffOptions, DiffReport } from './operations/diff.js';
import type { DoctorReport } from './operations/doctor/doctor.js';
import type { ExportSettings } from './operations/export.js';
import type { FollowOptions } from './operations/follow-git.js';
import type { ImportArchiveOptions } from './operations/import-archive.js';
import type { ImportUrlOptions } from './operations/import-url.js';
import type { LogOptions, LogReport } from './operations/log.js';
import type { LsOptions, LsReport } from './operations/ls.js';
import type { MergeLocksOptions } from './operations/merge-locks.js';
import type { FetchOptions, GcOptions, GcRemoteOptions, PushOptions, Select } from './operations/options.js';
import type { PlanOptions, PlanReport } from './operations/plan/plan.js';
import type { PrePushOptions } from './operations/pre-push.js';
import type { PublishLocksOptions, PublishLocksReport } from './operations/publish-locks.js';
import type { WhileRunningOptions } from './operations/push-while-running.js';
import type { RelockReport } from './operations/relock.js';
import type { AskedRemotes } from './operations/remote-states.js';
import type {
  CheckoutReport,
  CommitReport,
  ExplainReport,
  ExportReport,
  FetchReport,
  GcExplanation,
  GcRemoteReport,
  GcReport,
  ImportReport,
  InitReport,
  MergeLocksReport,
  PingReport,
  PrePushReport,
  PullReport,
  PushReport,
  RemoteReport,
  RemoteStatReport,
  ResolveReport,
  StoreStat,
  UnlockReport,
  VerifyReport,
} from './operations/reports.js';
import type { ResolveSide } from './operations/resolve.js';
import type { ServedRemotes, ServeOptions } from './operations/serve-remotes.js';
import type { StatusReport } from './operations/status.js';
import type { SummaryOptions, SummaryReport } from './operations/summary.js';
import type { VerifyAppendOnlyOptions } from './operations/verify-append-only.js';
import type { VerifyRemoteOptions } from './operations/verify-remote.js';
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
  /**
   * Read declarations and configuration once, not anew for each operation, and what stages were found to be only again when one changed something: for a process
   * that runs many tasks of one moment.
   */
  readonly readOnce?: boolean;
  /**
   * A directory that the processes of one run share; it may be absent. A remote that one of them has found down is not asked again by the others for a minute, and told
   * of once.
   */
  readonly runDir?: string;
  /**
   * The area to write in, as a front end has decided it from what its host vouches for (`trusted`, `shared`, `pr/<n>`). Without it that is `shared`. The configuration
   * and `SLUICE_AREA` can only lower it.
   */
  readonly area?: string;
  /** `strict`: records and maps of remotes count only if they are signed (`SLUICE_SIGNING_KEY`). `sluice.json` and `SLUICE_TRUST` can ask for it too; nobody can ask for less. */
  readonly trust?: 'areas' | 'strict';
  /** The built `worker.js`, where this module does not lie beside it (a bundle, or sources under test). */
  readonly workerFile?: URL;
}

/** Every operation of Sluice. Errors are `SluiceError`s with the codes of `docs/errors.md`. */
export interface Engine {
  /** Absolute path of the workspace root. */
  readonly root: string;
  /**
   * Brings one stage up to date, of a target with a matrix all its stages, one after another. `env` and `emit` stand in for those of the engine. `envName`, for an engine that reads once: environments of one name agree in
   * all that stages declare.
   */
  runStage(
    stage: ChosenStage,
    options: RunOptions & Partial<Pick<EngineOptions, 'env' | 'emit'>> & { readonly envName?: string },
  ): Promise<RunResult>;
  /** The state of stages and outs; `remotes` are asked for them. */
  status(options: { readonly select: Select; readonly remotes?: AskedRemotes }): Promise<StatusReport>;
  /** What would be done to bring stages up to date, and how several machines share it. Runs nothing. */
  plan(options: PlanOptions): Promise<PlanReport>;
  /** Known results for the present inputs to locks. Moves no data. */
  relock(options: { readonly select: Select }): Promise<RelockReport>;
  /** Commits the lock files of the workspace, and nothing else, and pushes the commit to a branch. Changes neither index nor files. */
  publishLocks(options: PublishLocksOptions): Promise<PublishLocksReport>;
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
  /** Makes the workspace follow git from one commit to another, as `git switch` does with its own files. Never destroys changes. */
  followGit(options: FollowOptions): Promise<CheckoutReport>;
  /** Sees that data is on a remote before git publishes the locks that name it, or pushes it first. Throws `ERR_NOT_PUSHED`. */
  prePush(options: PrePushOptions): Promise<PrePushReport>;
  /** Puts back what was kept aside under a digest. */
  checkoutKept(digest: string): Promise<CheckoutReport>;
  /** Makes the files of a zip or tar archive the new version of a dataset. */
  importArchive(options: ImportArchiveOptions & { readonly select: Select }): Promise<ImportReport>;
  /** Makes the file at a URL, or an object of S3, the new version of a dataset, and notes where it came from. */
  importUrl(options: ImportUrlOptions & { readonly select: Select }): Promise<ImportReport>;
  /** Asks where the selected datasets came from for newer versions. */
  updateImports(options: { readonly select: Select }): Promise<readonly ImportReport[]>;
  /** What locks name as plain files elsewhere, as plain objects in a bucket, or in a tar file. */
  exportData(options: ExportSettings & { readonly select: Select }): Promise<ExportReport>;
  /** Remote to store. */
  fetch(options: FetchOptions): Promise<FetchReport>;
  /** Remote to store and workspace. */
  pull(options: FetchOptions & { readonly force?: boolean }): Promise<PullReport>;
  /** Store to remote. */
  push(options: PushOptions): Promise<PushReport>;
  /** Names of the stages, `project:target`, whose locked data is all in the store, so that `push` can send it. */
  sendable(options: { readonly select: Select }): Promise<readonly string[]>;
  /**
   * Pushes in the background what stages make from now on, in this process or another, until it is flushed or stopped. It makes no run fail or wait; `close` stops it.
   * Throws what reading the workspace throws.
   */
  pushWhileRunning(options?: WhileRunningOptions): BackgroundPush;
  /** The files that locks name, of the workspace or of a revision, from trees alone. */
  ls(options: LsOptions): Promise<LsReport>;
  /** One file of a version, as a stream of checked bytes. Read it before the engine is closed. */
  cat(options: CatOptions): Promise<CatReport>;
  /** The commits that changed outs. */
  log(options: LogOptions): Promise<LogReport>;
  /** The commit that last changed each file. */
  blame(options: BlameOptions): Promise<BlameReport>;
  /** How the data of two states differs: the workspace, its locks, revisions. */
  diff(options: DiffOptions): Promise<DiffReport>;
  /** How much data there is, and where. */
  summary(options: SummaryOptions): Promise<SummaryReport>;
  /** Whether a word names a project or a stage, and not a revision. */
  isSelector(word: string): boolean;
  /** Drops from the store what nothing refers to. */
  gc(options: GcOptions): Promise<GcReport>;
  /** Drops from a remote what nothing in scope needs. */
  gcRemote(options: GcRemoteOptions): Promise<GcRemoteReport>;
  /** Why an object (by digest), or the object of a path in the workspace, would be kept. */
  explainGc(options: GcOptions & { readonly what: string }): Promise<GcExplanation>;
  /** Checks the store, links to it and the workspace; `deep` reads every byte, `repair` gets good copies, `from` a remote or from those of the outs. */
  verify(options: {
    readonly deep?: boolean;
    readonly repair?: boolean;
    readonly from?: string;
  }): Promise<VerifyReport>;
  /** Whether a remote, the default one if it is not named, keeps all that the locks of the workspace and of a scope of revisions name. */
  verifyRemote(options: VerifyRemoteOptions): Promise<VerifyReport>;
  /** Whether `append-only` outs have only grown since a base. Needs no data. */
  verifyAppendOnly(options: VerifyAppendOnlyOptions & { readonly select: Select }): Promise<VerifyReport>;
  /** Makes files of outs private and writable; `paths` are relative to the workspace root. */
  unlock(options: { readonly paths: readonly string[] }): Promise<UnlockReport>;
  /** Why one stage would run or not. */
  explain(selector: string): Promise<ExplainReport>;
  /** The declared stages, and what is wrong with declarations, with the line where it is. */
  declarations(): Promise<DeclarationsReport>;
  /** Merges a lock for git, from three files into that of our side. No data is needed. */
  mergeLocks(options: MergeLocksOptions): Promise<MergeLocksReport>;
  /** Ends conflicts that a merge left in locks by taking a side; without one, merges outs whose trees were missing. */
  resolve(options: { readonly select: Select; readonly side?: ResolveSide }): Promise<ResolveReport>;
  /** What the store holds. */
  storeStat(): Promise<StoreStat>;
  /** Looks for what makes Sluice fail or slow in this workspace; `fix` repairs what is safe to repair. */
  doctor(options: { readonly fix?: boolean }): Promise<DoctorReport>;
  /** Prepares the workspace and tells git how locks are merged; `hooks`: git's hooks too. */
  init(options: { readonly remote?: string; readonly hooks?: boolean }): Promise<InitReport>;
  /** The remotes that are configured. */
  remotes(): readonly RemoteReport[];
  /** Adds a remote to `sluice.json`; the first one becomes the default. */
  addRemote(options: {
    readonly name: string;
    readonly url: string;
    readonly endpoint?: string;
    readonly region?: string;
    readonly forcePathStyle?: boolean;
  }): Promise<void>;
  /** Takes a remote out of `sluice.json`. Nothing on it changes. */
  removeRemote(name: string): Promise<void>;
  /** Makes a remote the default one. */
  setDefaultRemote(name: string): Promise<void>;
  /**
   * Asks a remote for a sign of life. If nothing was ever pushed to it, a warning says so, since its URL may be wrong or its directory not mounted. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED`.
   */
  pingRemote(name: string | undefined): Promise<PingReport>;
  /** What a remote holds. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED`. */
  remoteStat(name: string | undefined): Promise<RemoteStatReport>;
  /**
   * Serves the remotes to other processes, which need no keys for them then, until this engine is closed; its own operations use the same connections from then on. Once
   * per engine.
   */
  serveRemotes(options: ServeOptions): Promise<ServedRemotes>;
  /** Lets others see what was pushed, where that was put off to save uploads; ends worker threads and closes files. */
  close(): Promise<void>;
}
