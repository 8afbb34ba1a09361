import type { Engine } from '@sluice/engine';
import * as shapes from './report-shapes.js';
import type { Shape } from './shape.js';

/** What the declaration of a command does not say of it. */
export interface CommandNotes {
  /** The operations of the engine that it is the command of. */
  readonly operations: readonly (keyof Engine)[];
  /** When it ends with a code, besides the codes that every command has. */
  readonly exits: Readonly<Record<number, string>>;
  /** The document of `--json`. */
  readonly json: Shape;
  /** What holds without an option that takes a value, by its long flag. */
  readonly defaults?: Readonly<Record<string, string>>;
}

/** What arguments mean, by their names; `hook name` is that of one command. */
export const ARGUMENTS: Readonly<Record<string, string>> = {
  selectors: 'which stages, or files of them: [selectors](../commands.md#selectors)',
  'export selectors':
    'which stages, or files of them ([selectors](../commands.md#selectors)); then a directory or s3://bucket/prefix, if there is no `--tar`',
  selector: 'one stage, or one file: [selectors](../commands.md#selectors)',
  versions: 'up to two versions (`A B` or `A..B`; HEAD and workspace), and selectors, in any order',
  file: 'path of the archive',
  files: 'paths of files of outs',
  url: 'an http or https address, or s3://bucket/key',
  'remote add url': 'where the remote is: [remotes](../remotes.md)',
  name: 'name of a remote; where it can be left out, the default one',
  'hook name': 'post-checkout, post-merge or pre-push',
  args: 'the arguments that git gives the hook',
  base: 'the version that both sides come from',
  ours: 'our version, which receives the result',
  theirs: 'their version',
  path: 'path of the lock in the repository',
};

/** Codes of every command. */
export const COMMON_EXITS: Readonly<Record<number, string>> = {
  0: 'done',
  2: 'usage or configuration',
  70: 'a bug in Sluice',
  130: 'interrupted',
};

const REMOTE = { 3: 'a remote that is needed cannot be reached, or refuses' } as const;
const TREES = { ...REMOTE, 4: 'a tree or file that is needed can be had nowhere, or is damaged' } as const;
const IN_THE_WAY = { 4: 'data is damaged or missing, or changes would be lost' } as const;
const HELD = { 5: 'another process holds what is needed' } as const;
const THE_LOCKS = 'the locks of the workspace';
const EACH_OWN = "each out's own, then the others";
const AWS = {
  '--region': 'AWS_REGION, or the profile',
  '--endpoint': 'AWS_ENDPOINT_URL_S3, or AWS',
  '--profile': 'AWS_PROFILE',
} as const;

/** By name of the command, as `sluice` is given it. */
export const COMMAND_NOTES: Readonly<Record<string, CommandNotes>> = {
  init: { operations: ['init'], exits: {}, json: shapes.INIT },
  status: {
    operations: ['status'],
    exits: { 1: 'with `--exit-code`: a stage is not `unchanged`', 4: 'a lock or a declared file is damaged' },
    json: shapes.STATUS,
    defaults: { '--remote': "no remote is asked; without names, each out's own" },
  },
  commit: {
    operations: ['commit'],
    exits: { 4: 'a file cannot be taken, or only a part of a dataset is in place', ...HELD },
    json: shapes.COMMIT,
  },
  checkout: {
    operations: ['checkout', 'checkoutKept'],
    exits: { 4: 'changes would be lost; with `--strict`: data stays reference-only', ...HELD },
    json: shapes.CHECKOUT,
    defaults: { '--rev': THE_LOCKS, '--link': '`link` of sluice.json, else reflink, then copy' },
  },
  fetch: {
    operations: ['fetch'],
    exits: TREES,
    json: shapes.FETCH,
    defaults: { '--remote': EACH_OWN, '--rev': THE_LOCKS, '--max-bytes': 'no limit', '--sample': 'all', '--seed': '0' },
  },
  pull: {
    operations: ['pull'],
    exits: { ...REMOTE, 4: 'what is wanted can be had nowhere, or changes would be lost', ...HELD },
    json: shapes.PULL,
    defaults: { '--remote': EACH_OWN, '--rev': THE_LOCKS, '--max-bytes': 'no limit', '--sample': 'all', '--seed': '0' },
  },
  push: {
    operations: ['push'],
    exits: { 3: 'a remote cannot be reached, refuses, or is read-only', 4: 'data is not in the store, or damaged' },
    json: shapes.PUSH,
    defaults: { '--remote': "each out's own" },
  },
  ls: { operations: ['ls'], exits: TREES, json: shapes.LS, defaults: { '--rev': THE_LOCKS } },
  cat: {
    operations: ['cat'],
    exits: TREES,
    json: shapes.CAT,
    defaults: { '--rev': THE_LOCKS, '--range': 'the whole file' },
  },
  log: {
    operations: ['log'],
    exits: { 3: 'a remote that is asked refuses', 4: 'with `--strict`: a version has no counts' },
    json: shapes.LOG,
    defaults: { '--num': 'all', '--rev': 'HEAD', '--remote': "no remote is asked; without a name, each out's own" },
  },
  blame: { operations: ['blame'], exits: TREES, json: shapes.BLAME, defaults: { '--rev': THE_LOCKS } },
  diff: { operations: ['diff', 'isSelector'], exits: TREES, json: shapes.DIFF },
  summary: {
    operations: ['summary'],
    exits: { 4: 'with `--strict`: a tree can be had nowhere' },
    json: shapes.SUMMARY,
    defaults: { '--rev': THE_LOCKS, '--remote': "each out's own" },
  },
  'import zip': {
    operations: ['importArchive'],
    exits: { 4: 'the archive is damaged or unsafe, or changes would be lost', ...HELD },
    json: shapes.IMPORT,
  },
  'import tar': {
    operations: ['importArchive'],
    exits: { 4: 'the archive is damaged or unsafe, or changes would be lost', ...HELD },
    json: shapes.IMPORT,
  },
  'import url': {
    operations: ['importUrl', 'updateImports'],
    exits: { 3: 'the address cannot be had', ...IN_THE_WAY, ...HELD },
    json: shapes.IMPORT,
    defaults: AWS,
  },
  export: {
    operations: ['exportData'],
    exits: { ...REMOTE, 4: 'data can be had nowhere, or something else is there already' },
    json: shapes.EXPORT,
    defaults: {
      '--tar': 'a directory or bucket, the last argument',
      '--rev': THE_LOCKS,
      '--remote': EACH_OWN,
      ...AWS,
      '--storage-class': 'that of the bucket',
      '--sse': 'that of the bucket',
      '--kms-key': 'the key of the service',
    },
  },
  gc: {
    operations: ['gc', 'gcRemote', 'explainGc'],
    exits: { ...REMOTE, 4: 'what must be kept cannot be told, so nothing was dropped', ...HELD },
    json: shapes.GC,
    defaults: {
      '--rev': 'none',
      '--since': 'none',
      '--num': 'none',
      '--records': 'none',
      '--forget-workspace': 'none',
      '--explain': 'collect',
      '--remote': 'the store is collected',
      '--grace': '1d',
      '--foreign': 'kept',
    },
  },
  verify: {
    operations: ['verify', 'verifyRemote', 'verifyAppendOnly'],
    exits: { ...REMOTE, 4: 'there are findings that are not repaired', ...HELD },
    json: shapes.VERIFY,
    defaults: {
      '--from': "each out's own",
      '--remote': 'the store is checked; without a name, the default remote',
      '--base': '`NX_BASE`, `origin/$GITHUB_BASE_REF`, the main branch of `origin`',
      '--rev': 'none',
    },
  },
  doctor: {
    operations: ['doctor'],
    exits: { 2: 'usage or configuration, or problems that are not repaired' },
    json: shapes.DOCTOR,
  },
  explain: { operations: ['explain'], exits: { 4: 'a lock or a declared file is damaged' }, json: shapes.EXPLAIN },
  resolve: { operations: ['resolve'], exits: { ...TREES, ...HELD }, json: shapes.RESOLVE },
  unlock: { operations: ['unlock'], exits: { 4: 'a file is not of an out, or not in place' }, json: shapes.UNLOCK },
  'merge-driver': {
    operations: ['mergeLocks'],
    exits: { 1: 'there are conflicts', 4: 'a lock was written by a newer Sluice', ...HELD },
    json: shapes.MERGE,
  },
  hook: {
    operations: ['followGit', 'prePush'],
    exits: { ...REMOTE, 4: 'no remote holds data that git is about to publish the locks of' },
    json: shapes.HOOK,
  },
  'remote add': {
    operations: ['addRemote'],
    exits: {},
    json: shapes.REMOTES,
    defaults: { '--endpoint': 'AWS', '--region': 'AWS_REGION, or the profile' },
  },
  'remote list': { operations: ['remotes'], exits: {}, json: shapes.REMOTES },
  'remote remove': { operations: ['removeRemote'], exits: {}, json: shapes.REMOTES },
  'remote default': { operations: ['setDefaultRemote'], exits: {}, json: shapes.REMOTES },
  'remote ping': { operations: ['pingRemote'], exits: REMOTE, json: shapes.PING },
  'remote stat': { operations: ['remoteStat'], exits: { ...REMOTE, ...IN_THE_WAY }, json: shapes.REMOTE_STAT },
  'store stat': { operations: ['storeStat'], exits: {}, json: shapes.STORE_STAT },
  'store path': { operations: ['storeStat'], exits: {}, json: shapes.STORE_PATH },
};

/** Operations that have no command, and why. @internal */
export const WITHOUT_COMMAND: Readonly<Partial<Record<keyof Engine, string>>> = {
  root: 'what the engine was opened on',
  close: 'every command ends with it',
  runStage: 'stages are run by Nx, which knows their order: `nx run`',
  pushWhileRunning: 'goes on beside the tasks of a run of Nx, or of a job: `"push": "while-running"`',
  serveRemotes: 'holds the keys of a job of CI for the processes that it starts',
  declarations: 'what editors and CI show of declarations; people get it from `doctor`',
};
