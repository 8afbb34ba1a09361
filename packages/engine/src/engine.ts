import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { SluiceError } from './errors.js';
import type { Emit } from './events.js';
import type { BackgroundPush } from './operations/background-push.js';
import { type BlameOptions, type BlameReport, blame } from './operations/blame.js';
import { type CatOptions, type CatReport, cat } from './operations/cat.js';
import { checkout } from './operations/checkout.js';
import { checkoutKept } from './operations/checkout-kept.js';
import { commit } from './operations/commit.js';
import type { OperationContext } from './operations/context.js';
import { checkDeclarations, type DeclarationsReport } from './operations/declarations.js';
import { type DiffOptions, type DiffReport, diff } from './operations/diff.js';
import { type DoctorReport, doctor } from './operations/doctor/doctor.js';
import { explain } from './operations/explain.js';
import { type ExportSettings, exportData } from './operations/export.js';
import { fetchData, pull } from './operations/fetch-data.js';
import { flushGathered, type Gathering } from './operations/flush-gathered.js';
import { type FollowOptions, followGit } from './operations/follow-git.js';
import { collectGarbage, explainGarbage } from './operations/gc.js';
import { collectRemoteGarbage } from './operations/gc-remote.js';
import { installMergeDriver } from './operations/git-setup.js';
import { type ImportArchiveOptions, importArchive } from './operations/import-archive.js';
import { importUrl, updateImports } from './operations/import-url.js';
import { initWorkspace } from './operations/init.js';
import { installHooks } from './operations/install-hooks.js';
import { relativesOf } from './operations/known-roots.js';
import { type LogOptions, type LogReport, log } from './operations/log.js';
import { type LsOptions, type LsReport, ls } from './operations/ls.js';
import { type MergeLocksOptions, mergeLockFiles } from './operations/merge-locks.js';
import type { FetchOptions, GcOptions, GcRemoteOptions, PushOptions, Select } from './operations/options.js';
import { type PrePushOptions, prePush } from './operations/pre-push.js';
import { push } from './operations/push-data.js';
import { pushWhileRunning, type WhileRunningOptions } from './operations/push-while-running.js';
import { remoteStat } from './operations/remote-stat.js';
import { createRemotes } from './operations/remotes.js';
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
import { type ResolveSide, resolveConflicts } from './operations/resolve.js';
import { isSelector, type Selected, selectStages } from './operations/select.js';
import {
  type KeptDrivers,
  keepDrivers,
  type ServedRemotes,
  type ServeOptions,
  serveRemotes,
} from './operations/serve-remotes.js';
import { type StatusReport, status } from './operations/status.js';
import { type SummaryOptions, type SummaryReport, summary } from './operations/summary.js';
import { unlock } from './operations/unlock.js';
import { verify } from './operations/verify.js';
import { type VerifyAppendOnlyOptions, verifyAppendOnly } from './operations/verify-append-only.js';
import { type VerifyRemoteOptions, verifyRemote } from './operations/verify-remote.js';
import { lowerArea, parseArea } from './remote/areas.js';
import { brokerAccess } from './remote/storage/broker/access.js';
import { type ChosenStage, loadStages, stageNamed, stagesOfChosen, withChosen } from './stage/load-stages.js';
import { createLockReader } from './stage/lock-file.js';
import { mergeResults } from './stage/merge-results.js';
import { type RunOptions, type RunResult, runStage, unchangedAtRest } from './stage/run-stage.js';
import { createSharedResolvers, type SharedResolvers } from './stage/shared-resolvers.js';
import { realFiles } from './store/files.js';
import { storeStat } from './store/stat.js';
import { openStore, type Store } from './store/store.js';
import { registerWorkspace } from './store/workspaces.js';
import { createBulk } from './workspace/bulk.js';
import { type Config, readConfig } from './workspace/config.js';
import type { LinkKind } from './workspace/place-batch.js';
import { readWorkspace, type WorkspaceProjects } from './workspace/projects.js';
import { prepareStateDir, projectsCachePath } from './workspace/state-dir.js';
import { diskFiles } from './workspace/text-files.js';
import { addRemote, removeRemote, setDefaultRemote } from './workspace/write-config.js';

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
  /** The built `worker.js`, where this module does not lie beside it (a bundle, or sources under test). */
  readonly workerFile?: URL;
}

/** Every operation of Sluice. Errors are `SluiceError`s with the codes of `docs/errors.md`. */
export interface Engine {
  readonly root: string;
  /**
   * Brings one stage up to date, of a target with a matrix all its stages, one after another. `env` and `emit` stand in for those of the engine. `envName`, for an engine that reads once: environments of one name agree in
   * all that stages declare.
   */
  runStage(
    stage: ChosenStage,
    options: RunOptions & Partial<Pick<EngineOptions, 'env' | 'emit'>> & { readonly envName?: string },
  ): Promise<RunResult>;
  /** The state of stages and outs; `remotes`: names to ask, or `own` for the remote that each out goes to. */
  status(options: { readonly select: Select; readonly remotes?: readonly string[] | 'own' }): Promise<StatusReport>;
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
  /** Makes the file at a URL the new version of a dataset, and notes where it came from. */
  importUrl(options: { readonly select: Select; readonly url: string }): Promise<ImportReport>;
  /** Asks where the selected datasets came from for newer versions. */
  updateImports(options: { readonly select: Select }): Promise<readonly ImportReport[]>;
  /** What locks name as plain files elsewhere, or in a tar file. */
  exportData(options: ExportSettings & { readonly select: Select }): Promise<ExportReport>;
  /** Remote to store. */
  fetch(options: FetchOptions): Promise<FetchReport>;
  /** Remote to store and workspace. */
  pull(options: FetchOptions & { readonly force?: boolean }): Promise<PullReport>;
  /** Store to remote. */
  push(options: PushOptions): Promise<PushReport>;
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
  gc(options: GcOptions): Promise<GcReport>;
  /** Drops from a remote what nothing in scope needs. */
  gcRemote(options: GcRemoteOptions): Promise<GcRemoteReport>;
  /** Why an object (by digest), or the object of a path in the workspace, would be kept. */
  explainGc(options: GcOptions & { readonly what: string }): Promise<GcExplanation>;
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
  explain(selector: string): Promise<ExplainReport>;
  /** The declared stages, and what is wrong with declarations, with the line where it is. */
  declarations(): Promise<DeclarationsReport>;
  /** Merges a lock for git, from three files into that of our side. No data is needed. */
  mergeLocks(options: MergeLocksOptions): Promise<MergeLocksReport>;
  /** Ends conflicts that a merge left in locks by taking a side; without one, merges outs whose trees were missing. */
  resolve(options: { readonly select: Select; readonly side?: ResolveSide }): Promise<ResolveReport>;
  storeStat(): Promise<StoreStat>;
  /** Looks for what makes Sluice fail or slow in this workspace; `fix` repairs what is safe to repair. */
  doctor(options: { readonly fix?: boolean }): Promise<DoctorReport>;
  /** Prepares the workspace and tells git how locks are merged; `hooks`: git's hooks too. */
  init(options: { readonly remote?: string; readonly hooks?: boolean }): Promise<InitReport>;
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

/** More threads than this do not make files faster. */
const MOST_THREADS = 8;

/** The directory of `nx.json` at or above `from` (absolute); `undefined` if there is none. */
export function findWorkspaceRoot(from: string): string | undefined {
  if (existsSync(join(from, 'nx.json'))) return from;
  const parent = dirname(from);
  return parent === from ? undefined : findWorkspaceRoot(parent);
}

/**
 * Opens the engine on a workspace. Nothing is read but the configuration; stages are read anew for each operation. Throws `ERR_WORKSPACE` if `root` has no `nx.json`,
 * `ERR_CONFIG` and what opening the store throws.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { root, env, signal } = options;
  const emit = options.emit ?? ((): void => undefined);
  if (!existsSync(join(root, 'nx.json'))) {
    throw new SluiceError('ERR_WORKSPACE', `${root} has no nx.json`, {
      hint: 'Sluice works in an Nx workspace; choose one with --cwd.',
    });
  }
  const threads = Math.min(options.threads ?? availableParallelism(), MOST_THREADS);
  const workerFile =
    threads === 0 ? undefined : (options.workerFile ?? new URL('./workspace/worker.js', import.meta.url));
  const bulk = createBulk(realFiles, workerFile, threads);
  let opened: Store | undefined;
  let drivers: KeptDrivers | undefined;
  let served: ServedRemotes | undefined;
  const gathering: Gathering = new Map();

  const config = (): Config => {
    const read = readConfig(root, env);
    return options.offline === true ? { ...read, offline: true } : read;
  };
  const openOnce = (settings: Config): Store => {
    if (opened === undefined) prepareStateDir(root);
    opened ??= openStore({ dir: settings.store, durability: settings.durability });
    return opened;
  };
  const readStages = (): WorkspaceProjects => readWorkspace(root, { cacheFile: projectsCachePath(root) });
  const readContext = (chosen?: ChosenStage): OperationContext => {
    const settings = config();
    const store = openOnce(settings);
    store.reader.catalog.refresh();
    registerWorkspace(store, root, new Date());
    // Nothing outside of CI may write where protected branches do, so a laptop writes in the shared area; a lower one can be asked for.
    const area = lowerArea(parseArea(options.area ?? brokerAccess(env)?.area ?? 'shared'), settings.area);
    const projects = readStages();
    const context: OperationContext = {
      workspace: { root, store, bulk, link: settings.link },
      projects,
      stages: loadStages(projects, chosen),
      config: settings,
      remotes: createRemotes({
        config: settings,
        store,
        area,
        env,
        emit,
        gathering,
        signal,
        runDir: options.runDir,
        drivers: drivers?.open,
        relatives: (root) => relativesOf(context, root),
      }),
      area,
      env,
      emit,
      signal,
      now: () => new Date(),
      readLock: createLockReader(root),
    };
    return context;
  };
  let readOnce: { readonly context: OperationContext; readonly resolvers: SharedResolvers } | undefined;
  const contextFor = (chosen?: ChosenStage): OperationContext => {
    if (options.readOnce !== true) return readContext(chosen);
    if (readOnce === undefined) {
      const context = readContext();
      readOnce = { context, resolvers: createSharedResolvers(context.stages, emit) };
    }
    const { context } = readOnce;
    return chosen === undefined
      ? context
      : { ...context, stages: withChosen(context.projects, context.stages, chosen) };
  };
  const projectsNow = (): WorkspaceProjects => (options.readOnce === true ? contextFor().projects : readStages());
  const pushers = new Set<BackgroundPush>();
  const runOne: Engine['runStage'] = async (chosen, runOptions) => {
    const shared = contextFor(chosen);
    const context = { ...shared, env: runOptions.env ?? env, emit: runOptions.emit ?? emit };
    const stage = stageNamed(context.projects, context.stages, chosen.id);
    if (readOnce === undefined) return runStage(context, stage, runOptions);
    const resolver = readOnce.resolvers.get(context, runOptions.envName ?? '');
    const settled = await unchangedAtRest(context, stage, runOptions, resolver);
    if (settled !== undefined) return settled;
    try {
      return await runStage(context, stage, runOptions);
    } finally {
      readOnce.resolvers.forget();
    }
  };
  const on = async <T>(
    select: Select,
    run: (context: OperationContext, selected: Selected[]) => Promise<T>,
  ): Promise<T> => {
    const context = contextFor();
    if (select.length === 0) {
      for (const [stage, problem] of context.stages.broken) {
        emit({ type: 'warning', code: problem.code, message: `${stage} is left out: ${problem.message}` });
      }
    }
    return run(context, selectStages(context.projects, context.stages, select));
  };

  /** Throws for a remote that is not configured. */
  const namesOf = ({ remotes }: OperationContext, wanted: readonly string[] | 'default' = []): readonly string[] =>
    wanted === 'default' ? [remotes.open(undefined).name] : wanted.map((name) => remotes.open(name).name);

  return {
    root,
    runStage: async (chosen, runOptions) => {
      const results: RunResult[] = [];
      for (const one of stagesOfChosen(projectsNow(), chosen)) {
        results.push(await runOne(one, runOptions));
        for (const pusher of pushers) pusher.poke();
      }
      return mergeResults(results);
    },
    status: async ({ select, remotes }) => on(select, (context, selected) => status(context, selected, remotes ?? [])),
    commit: async ({ select, force }) => on(select, (context, selected) => commit(context, selected, force ?? false)),
    checkout: async ({ select, rev, force, link, strict }) =>
      on(select, (context, selected) =>
        checkout(context, selected, { rev, force: force ?? false, link, missing: 'leave', strict: strict ?? false }),
      ),
    followGit: async (followOptions) => on([], (context, selected) => followGit(context, selected, followOptions)),
    prePush: async (prePushOptions) =>
      on([], (context, selected) => prePush(context, prePushOptions, (revs) => push(context, selected, { revs }))),
    checkoutKept: async (digest) => checkoutKept(contextFor(), digest),
    exportData: async (exportOptions) =>
      on(exportOptions.select, (context, selected) => exportData(context, selected, exportOptions)),
    importArchive: async (importOptions) =>
      on(importOptions.select, (context, selected) => importArchive(context, selected, importOptions)),
    importUrl: async ({ select, url }) => on(select, (context, selected) => importUrl(context, selected, url)),
    updateImports: async ({ select }) => on(select, updateImports),
    fetch: async (fetchOptions) =>
      on(fetchOptions.select, (context, selected) => fetchData(context, selected, fetchOptions)),
    pull: async (pullOptions) => on(pullOptions.select, (context, selected) => pull(context, selected, pullOptions)),
    push: async (pushOptions) => on(pushOptions.select, (context, selected) => push(context, selected, pushOptions)),
    ls: async (lsOptions) => on(lsOptions.select, (context, selected) => ls(context, selected, lsOptions)),
    cat: async (catOptions) => on([catOptions.select], (context, selected) => cat(context, selected, catOptions)),
    log: async (logOptions) =>
      on(logOptions.select, (context, selected) =>
        log(context, selected, { ...logOptions, remotes: namesOf(context, logOptions.remotes) }),
      ),
    blame: async (blameOptions) =>
      on(blameOptions.select, (context, selected) => blame(context, selected, blameOptions)),
    diff: async (diffOptions) => on(diffOptions.select, (context, selected) => diff(context, selected, diffOptions)),
    summary: async (summaryOptions) =>
      on(summaryOptions.select, (context, selected) => summary(context, selected, summaryOptions)),
    isSelector: (word) => isSelector(projectsNow(), word),
    pushWhileRunning: (whileOptions = {}) => {
      const open = (pushSignal: AbortSignal, pushEmit: Emit): OperationContext => {
        const both = signal === undefined ? pushSignal : AbortSignal.any([signal, pushSignal]);
        return { ...readContext(), signal: both, emit: pushEmit };
      };
      const pusher = pushWhileRunning(open, whileOptions);
      pushers.add(pusher);
      void pusher.ended.then(() => pushers.delete(pusher));
      return pusher;
    },
    gc: async (gcOptions) => collectGarbage(contextFor(), gcOptions),
    gcRemote: async (gcOptions) => collectRemoteGarbage(contextFor(), gcOptions),
    explainGc: async (gcOptions) => explainGarbage(contextFor(), gcOptions),
    verify: async (verifyOptions) => verify(contextFor(), verifyOptions),
    verifyRemote: async (verifyOptions) => verifyRemote(contextFor(), verifyOptions),
    verifyAppendOnly: async (appendOptions) =>
      on(appendOptions.select, (context, selected) => verifyAppendOnly(context, selected, appendOptions)),
    unlock: async ({ paths }) => unlock(contextFor(), paths),
    explain: async (selector) => on([selector], explain),
    declarations: async () => checkDeclarations(root, readStages()),
    mergeLocks: async (mergeOptions) => mergeLockFiles(contextFor(), mergeOptions),
    resolve: async ({ select, side }) => on(select, (context, selected) => resolveConflicts(context, selected, side)),
    storeStat: async () => {
      const store = openOnce(config());
      return { ...storeStat(store), path: store.layout.dir };
    },
    doctor: async ({ fix }) => doctor({ root, env, signal, nowMs: Date.now }, fix ?? false),
    init: async ({ remote, hooks }) => {
      const { written } = initWorkspace(root, diskFiles(root), { remote });
      const configured = await installMergeDriver(root, { signal });
      return {
        written: [...written, ...(configured ? ['.git/config'] : [])],
        ...(hooks === true ? { hooks: await installHooks(root, { signal }) } : {}),
      };
    },
    remotes: () => {
      const { remotes, defaultRemote } = config();
      return [...remotes.values()].map(({ name, url, readOnly }) => ({
        name,
        url,
        readOnly,
        default: name === defaultRemote,
      }));
    },
    addRemote: async ({ name, ...remote }) => addRemote(root, name, remote),
    removeRemote: async (name) => removeRemote(root, name),
    setDefaultRemote: async (name) => setDefaultRemote(root, name),
    pingRemote: async (name) => {
      const opening = contextFor().remotes.open(name);
      const startedMs = performance.now();
      await opening.remote.contact(signal);
      return { remote: opening.name, ms: Math.round(performance.now() - startedMs) };
    },
    remoteStat: async (name) => remoteStat(contextFor(), name),
    serveRemotes: async (serveOptions) => {
      drivers ??= keepDrivers();
      const { config: settings, workspace, area } = readContext();
      served ??= await serveRemotes(
        settings,
        drivers,
        { store: workspace.store, area: parseArea(area), env, emit, gathering },
        serveOptions,
      );
      return served;
    },
    close: async () => {
      await Promise.all([...pushers].map((pusher) => pusher.stop()));
      await served?.close();
      await flushGathered(gathering, emit, signal);
      await bulk.close();
      opened?.close();
    },
  };
}
