import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine, EngineOptions } from './engine-api.js';
import { SluiceError } from './errors.js';
import type { Emit } from './events.js';
import type { BackgroundPush } from './operations/background-push.js';
import { blame } from './operations/blame.js';
import { cat } from './operations/cat.js';
import { checkout } from './operations/checkout.js';
import { checkoutKept } from './operations/checkout-kept.js';
import { commit } from './operations/commit.js';
import type { OperationContext } from './operations/context.js';
import { checkDeclarations } from './operations/declarations.js';
import { diff } from './operations/diff.js';
import { doctor } from './operations/doctor/doctor.js';
import { explain } from './operations/explain.js';
import { exportData } from './operations/export.js';
import { fetchData, pull } from './operations/fetch-data.js';
import { flushGathered, type Gathering } from './operations/flush-gathered.js';
import { followGit } from './operations/follow-git.js';
import { collectGarbage, explainGarbage } from './operations/gc.js';
import { collectRemoteGarbage } from './operations/gc-remote.js';
import { installMergeDriver } from './operations/git-setup.js';
import { importArchive } from './operations/import-archive.js';
import { importUrl, updateImports } from './operations/import-url.js';
import { initWorkspace } from './operations/init.js';
import { installHooks } from './operations/install-hooks.js';
import { relativesOf } from './operations/known-roots.js';
import { log } from './operations/log.js';
import { ls } from './operations/ls.js';
import { mergeLockFiles } from './operations/merge-locks.js';
import type { Select } from './operations/options.js';
import { pingRemote } from './operations/ping-remote.js';
import { plan } from './operations/plan/plan.js';
import { prePush } from './operations/pre-push.js';
import { publishLocks } from './operations/publish-locks.js';
import { push } from './operations/push-data.js';
import { pushWhileRunning } from './operations/push-while-running.js';
import { relock } from './operations/relock.js';
import { remoteStat } from './operations/remote-stat.js';
import { createRemotes } from './operations/remotes.js';
import { resolveConflicts } from './operations/resolve.js';
import { isSelector, type Selected, selectStages } from './operations/select.js';
import { sendableStages } from './operations/sendable.js';
import { type KeptDrivers, keepDrivers, type ServedRemotes, serveRemotes } from './operations/serve-remotes.js';
import { status } from './operations/status.js';
import { summary } from './operations/summary.js';
import { unlock } from './operations/unlock.js';
import { verify } from './operations/verify.js';
import { verifyAppendOnly } from './operations/verify-append-only.js';
import { verifyRemote } from './operations/verify-remote.js';
import { lowerArea, parseArea } from './remote/areas.js';
import { brokerAccess } from './remote/storage/broker/access.js';
import { type ChosenStage, loadStages, stageNamed, stagesOfChosen, withChosen } from './stage/load-stages.js';
import { createLockReader } from './stage/lock-file.js';
import { mergeResults } from './stage/merge-results.js';
import { type RunResult, runStage, unchangedAtRest } from './stage/run-stage.js';
import { createSharedResolvers, type SharedResolvers } from './stage/shared-resolvers.js';
import { realFiles } from './store/files.js';
import { storeStat } from './store/stat.js';
import { openStore, type Store } from './store/store.js';
import { registerWorkspace } from './store/workspaces.js';
import { createBulk } from './workspace/bulk.js';
import { bulkReceiver } from './workspace/bulk-receiver.js';
import { type Config, readConfig, strictest } from './workspace/config.js';
import { readWorkspace, type WorkspaceProjects } from './workspace/projects.js';
import { prepareStateDir, projectsCachePath } from './workspace/state-dir.js';
import { diskFiles } from './workspace/text-files.js';
import { addRemote, removeRemote, setDefaultRemote } from './workspace/write-config.js';

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
    const asked = readConfig(root, env);
    const read = { ...asked, trust: strictest(asked.trust, options.trust) };
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
        receiver: bulkReceiver(bulk),
        area,
        trust: settings.trust,
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
      for (const { file, message } of context.projects.problems) {
        emit({ type: 'warning', code: 'ERR_WORKSPACE', message: `what ${file} declares is left out: it ${message}` });
      }
      for (const [stage, problem] of context.stages.broken) {
        emit({ type: 'warning', code: problem.code, message: `${stage} is left out: ${problem.message}` });
      }
    }
    return run(context, selectStages(context.projects, context.stages, select));
  };

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
    plan: async ({ select, ...planOptions }) => on(select, (context, selected) => plan(context, selected, planOptions)),
    relock: async ({ select }) => on(select, relock),
    publishLocks: async (publishOptions) => publishLocks(contextFor(), publishOptions),
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
    importUrl: async (importOptions) =>
      on(importOptions.select, (context, selected) => importUrl(context, selected, importOptions)),
    updateImports: async ({ select }) => on(select, updateImports),
    fetch: async (fetchOptions) =>
      on(fetchOptions.select, (context, selected) => fetchData(context, selected, fetchOptions)),
    pull: async (pullOptions) => on(pullOptions.select, (context, selected) => pull(context, selected, pullOptions)),
    push: async (pushOptions) => on(pushOptions.select, (context, selected) => push(context, selected, pushOptions)),
    sendable: async ({ select }) => on(select, async (context, selected) => sendableStages(context, selected)),
    ls: async (lsOptions) => on(lsOptions.select, (context, selected) => ls(context, selected, lsOptions)),
    cat: async (catOptions) => on([catOptions.select], (context, selected) => cat(context, selected, catOptions)),
    log: async (logOptions) => on(logOptions.select, (context, selected) => log(context, selected, logOptions)),
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
      const pusher = pushWhileRunning(open, { emit, ...whileOptions });
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
    pingRemote: async (name) => pingRemote(contextFor(), name),
    remoteStat: async (name) => remoteStat(contextFor(), name),
    serveRemotes: async (serveOptions) => {
      drivers ??= keepDrivers();
      const { config: settings, workspace, area } = readContext();
      served ??= await serveRemotes(
        settings,
        drivers,
        { store: workspace.store, area: parseArea(area), trust: settings.trust, env, emit, gathering },
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
