import type { Command } from 'commander';
import type { Execute } from '../session.js';
import { declareCheckout } from './checkout.js';
import { declareCommit } from './commit.js';
import { declareExplain } from './explain.js';
import { declareGc } from './gc.js';
import { declareInit } from './init.js';
import { declarePush } from './push.js';
import { declareRemote } from './remote.js';
import { declareStatus } from './status.js';
import { declareStore } from './store.js';
import { declareFetch, declarePull } from './transfer.js';
import { declareVerify } from './verify.js';

/** Adds one command to the program. */
export type Declare = (program: Command, execute: Execute) => void;

/** All commands, in the order of `--help`. */
export const COMMANDS: readonly Declare[] = [
  declareInit,
  declareStatus,
  declareCommit,
  declareCheckout,
  declareFetch,
  declarePull,
  declarePush,
  declareGc,
  declareVerify,
  declareExplain,
  declareRemote,
  declareStore,
];
