import type { Engine, EngineOptions } from '@sluice/engine';
import type { OpenEngine } from '../session.js';
import * as samples from './samples/index.js';

/** A call of an engine's method. */
export type EngineCall = readonly [method: string, ...args: unknown[]];

/** An engine without a workspace: it notes what is asked of it and answers with samples, or with what a test gives. */
export interface FakeEngine {
  readonly calls: EngineCall[];
  /** What the engine was opened with. */
  readonly opened: EngineOptions[];
  readonly open: OpenEngine;
}

export function fakeEngine(answers: (options: EngineOptions) => Partial<Engine> = () => ({})): FakeEngine {
  const calls: EngineCall[] = [];
  const opened: EngineOptions[] = [];
  const open: OpenEngine = async (options) => {
    opened.push(options);
    return noting({ ...sampleEngine(options.root), ...answers(options) }, calls);
  };
  return { calls, opened, open };
}

function sampleEngine(root: string): Engine {
  return {
    root,
    runStage: async () => {
      throw new Error('the command line runs no stages');
    },
    status: async () => ({ stages: [samples.STAGE] }),
    mergeLocks: async () => samples.MERGE,
    resolve: async () => samples.RESOLVED,
    plan: async () => samples.PLAN,
    relock: async () => samples.RELOCK,
    publishLocks: async () => {
      throw new Error('the command line publishes nothing');
    },
    commit: async () => samples.COMMIT,
    exportData: async () => samples.EXPORT,
    importArchive: async () => samples.IMPORT,
    importUrl: async () => samples.IMPORT,
    updateImports: async () => [samples.IMPORT],
    checkout: async () => samples.CHECKOUT,
    followGit: async () => samples.CHECKOUT,
    prePush: async () => ({ checked: 2, pushed: samples.PUSH }),
    checkoutKept: async () => samples.CHECKOUT,
    fetch: async () => samples.FETCH,
    pull: async () => samples.PULL,
    push: async () => samples.PUSH,
    ls: async () => samples.LS,
    cat: async () => ({ ...samples.CAT, chunks: chunksOf('a\0', 'b\u00e9') }),
    log: async () => samples.LOG,
    blame: async () => samples.BLAME,
    diff: async () => samples.DIFF,
    summary: async () => samples.SUMMARY,
    isSelector: (word) => word.startsWith('people'),
    pushWhileRunning: () => {
      throw new Error('the command line runs no stages');
    },
    gc: async () => samples.GC,
    gcRemote: async () => samples.GC_REMOTE,
    explainGc: async () => samples.GC_EXPLANATION,
    verify: async () => samples.VERIFY,
    verifyRemote: async () => samples.VERIFY,
    verifyAppendOnly: async () => samples.VERIFY,
    unlock: async () => samples.UNLOCK,
    explain: async () => samples.EXPLAIN,
    serveRemotes: async () => {
      throw new Error('the command line serves nothing');
    },
    sendable: async () => [],
    declarations: async () => ({ stages: [], targets: [], edges: [], problems: [] }),
    storeStat: async () => samples.STORE,
    doctor: async () => ({ ...samples.DOCTOR, findings: samples.DOCTOR.findings.slice(1) }),
    init: async () => ({ written: ['sluice.json', '.gitignore'] }),
    remotes: () => samples.REMOTES,
    addRemote: async () => undefined,
    removeRemote: async () => undefined,
    setDefaultRemote: async () => undefined,
    pingRemote: async () => ({ remote: 's3cache', used: true, ms: 12, proxy: null }),
    remoteStat: async () => samples.REMOTE_STAT,
    close: async () => undefined,
  };
}

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function noting(engine: Engine, calls: EngineCall[]): Engine {
  return new Proxy(engine, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.push([String(name), ...args]);
        return Reflect.apply(value, target, args);
      };
    },
  });
}
