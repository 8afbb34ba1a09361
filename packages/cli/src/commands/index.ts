import type { Declare } from '../command.js';
import { declareBlame } from './blame.js';
import { declareCat } from './cat.js';
import { declareCheckout } from './checkout.js';
import { declareCommit } from './commit.js';
import { declareDiff } from './diff.js';
import { declareDoctor } from './doctor.js';
import { declareExplain } from './explain.js';
import { declareExport } from './export.js';
import { declareFetch } from './fetch.js';
import { declareGc } from './gc.js';
import { declareHook } from './hook.js';
import { declareImport } from './import.js';
import { declareInit } from './init.js';
import { declareLog } from './log.js';
import { declareLs } from './ls.js';
import { declareMergeDriver } from './merge-driver.js';
import { declarePlan } from './plan.js';
import { declarePull } from './pull.js';
import { declarePush } from './push.js';
import { declareRelock } from './relock.js';
import { declareRemote } from './remote.js';
import { declareResolve } from './resolve.js';
import { declareStatus } from './status.js';
import { declareStore } from './store.js';
import { declareSummary } from './summary.js';
import { declareUnlock } from './unlock.js';
import { declareVerify } from './verify.js';

/** All commands, in the order of `--help`. */
export const COMMANDS: readonly Declare[] = [
  declareInit,
  declareStatus,
  declareCommit,
  declareCheckout,
  declareFetch,
  declarePull,
  declarePush,
  declareLs,
  declareCat,
  declareLog,
  declareBlame,
  declareDiff,
  declareSummary,
  declareImport,
  declareExport,
  declareGc,
  declareVerify,
  declareDoctor,
  declareExplain,
  declarePlan,
  declareRelock,
  declareResolve,
  declareUnlock,
  declareMergeDriver,
  declareHook,
  declareRemote,
  declareStore,
];
