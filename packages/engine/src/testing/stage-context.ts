import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { SluiceError } from '../errors.js';
import type { SluiceEvent } from '../events.js';
import { LOCK_FILE, type Lock, parseLock } from '../model/lock.js';
import { parseRelPath, ROOT } from '../model/path.js';
import { checkStages } from '../stage/check-stages.js';
import type { RemoteSource, StageContext } from '../stage/context.js';
import { type Decision, decide } from '../stage/decide.js';
import { defineStage } from '../stage/define.js';
import { readLockFile } from '../stage/lock-file.js';
import { Resolver } from '../stage/resolve.js';
import { type RunOptions, type RunResult, runStage } from '../stage/run-stage.js';
import { type Stage, stageName } from '../stage/stage.js';
import { STAGE_EXECUTOR, TRACK_EXECUTOR } from '../workspace/executors.js';
import type { Workspace } from '../workspace/workspace.js';
import { useTempDir } from './temp-dir.js';
import { workspaceAt } from './workspace.js';

/** A workspace with stages that are declared as one goes along, all in this process. A target is named `target` (of the project `p`) or `project:target`. */
export interface TestStages {
  readonly workspace: Workspace;
  /** Everything that was told, until somebody empties it. */
  readonly events: SluiceEvent[];
  at(...below: string[]): string;
  /** Writes a file, with the directories above it. */
  write(path: string, content: string): void;
  read(path: string): string;
  remove(path: string): void;
  declare(target: string, options: Readonly<Record<string, unknown>> | undefined): void;
  context(changes?: Partial<StageContext>): StageContext;
  stage(target: string): Stage;
  run(target: string, options?: Partial<RunOptions>, changes?: Partial<StageContext>): Promise<RunResult>;
  /** Runs it and says what became of it and why, in short: `ran, dep p/in.txt`. */
  outcome(target: string, options?: Partial<RunOptions>, changes?: Partial<StageContext>): Promise<string>;
  decide(target: string, changes?: Partial<StageContext>): Promise<Decision>;
  lock(project?: string): Lock;
  /** How often commands have run `$COUNT name`. */
  runs(name: string): number;
  /** Another workspace with the same declarations and without data; `shared`: on the same store. */
  clone(shared: boolean): TestStages;
  close(): void;
}

/** Remotes that have nothing. */
export const emptyRemote: RemoteSource = {
  findRecord: async () => undefined,
  has: async () => false,
  fetch: async (wants) => {
    throw new SluiceError('ERR_NOT_LOCAL', `no remote has ${wants.map(({ root }) => root.digest).join(', ')}`);
  },
};

/** A workspace of its own for each test of a file. */
export function useStages(): () => TestStages {
  const temp = useTempDir();
  let stages: TestStages | undefined;
  const opened: TestStages[] = [];
  beforeEach(() => {
    stages = testStages(workspaceAt(temp('ws')), new Map(), opened);
  });
  afterEach(() => {
    for (const one of opened.splice(0)) one.close();
  });
  return () => {
    if (stages === undefined) throw new Error('there are stages only within a test');
    return stages;
  };
}

function testStages(workspace: Workspace, declared: Map<string, unknown>, opened: TestStages[]): TestStages {
  const { root } = workspace;
  const events: SluiceEvent[] = [];
  const runsDir = `${root}.runs`;
  const at = (...below: string[]): string => join(root, ...below);
  const write = (path: string, content: string): void => {
    fs.mkdirSync(dirname(at(path)), { recursive: true });
    fs.writeFileSync(at(path), content);
  };
  const all = (): Stage[] => [...declared].map(([name, options]) => defineNamed(name, options));
  const context = (changes: Partial<StageContext> = {}): StageContext => {
    const stages = all();
    workspace.store.reader.catalog.refresh();
    return {
      workspace,
      stages: {
        all: stages,
        outs: checkStages(stages),
        get: (id) => stages.find((stage) => stageName(stage.id) === stageName(id)),
      },
      remotes: emptyRemote,
      area: 'shared',
      env: { ...process.env, COUNT: `sh ${runsDir}/count` },
      emit: (event) => events.push(event),
      now: () => new Date(),
      readLock: (projectRoot) => readLockFile(root, projectRoot),
      ...changes,
    };
  };
  const stage = (target: string): Stage => defineNamed(fullName(target), declared.get(fullName(target)));
  const stages: TestStages = {
    workspace,
    events,
    at,
    write,
    read: (path) => fs.readFileSync(at(path), 'utf8'),
    remove: (path) => fs.rmSync(at(path), { recursive: true, force: true }),
    declare: (target, options) => {
      if (options === undefined) declared.delete(fullName(target));
      else declared.set(fullName(target), options);
    },
    context,
    stage,
    run: (target, options, changes) =>
      runStage(context(changes), stage(target), { force: false, wait: true, materialize: true, ...options }),
    outcome: async (target, options, changes) => {
      const { outcome, reasons } = await stages.run(target, options, changes);
      return [outcome, ...reasons.map(({ kind, name }) => (name === '' ? kind : `${kind} ${name}`))].join(', ');
    },
    decide: (target, changes) => decide(new Resolver(context(changes)), stage(target)),
    lock: (project = 'p') => {
      const path = at(project, LOCK_FILE);
      return fs.existsSync(path) ? parseLock(fs.readFileSync(path, 'utf8'), path) : { stages: new Map() };
    },
    runs: (name) => {
      const path = join(runsDir, `${name}.runs`);
      return fs.existsSync(path) ? fs.readFileSync(path, 'utf8').length : 0;
    },
    clone: (shared) => {
      const other = `${root}-clone`;
      const outs = new Set(all().flatMap((one) => one.outs.map(({ path }) => at(path))));
      fs.cpSync(root, other, { recursive: true, filter: (path) => path !== at('.sluice') && !outs.has(path) });
      const opening = shared ? { ...workspace, root: other } : workspaceAt(other);
      return testStages(opening, new Map(declared), opened);
    },
    close: () => workspace.store.close(),
  };
  fs.mkdirSync(runsDir, { recursive: true });
  fs.writeFileSync(join(runsDir, 'count'), `printf x >> "${runsDir}/$1.runs"\n`);
  opened.push(stages);
  return stages;
}

function fullName(target: string): string {
  return target.includes(':') ? target : `p:${target}`;
}

/** The project lies in the directory of its name. */
function defineNamed(name: string, options: unknown): Stage {
  const [project = '', target = ''] = name.split(':');
  const hasCommand = typeof options === 'object' && options !== null && 'command' in options;
  return defineStage({
    project: { name: project, root: project === '.' ? ROOT : parseRelPath(project) },
    target,
    executor: hasCommand ? STAGE_EXECUTOR : TRACK_EXECUTOR,
    options,
  });
}
