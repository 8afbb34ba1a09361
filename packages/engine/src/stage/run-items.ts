import { lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { fingerprintOf } from '../model/parts.js';
import { compareUtf8 } from '../model/path.js';
import { TREE } from '../model/tree.js';
import { whenAborted } from '../util/when-aborted.js';
import { moveOf } from '../workspace/moves.js';
import { observe } from '../workspace/observe.js';
import { entryPath } from '../workspace/snapshot.js';
import { absolutePath } from '../workspace/workspace.js';
import { commandFailed } from './command-failed.js';
import type { StageContext } from './context.js';
import { itemsPath } from './define-foreach.js';
import { globMatcher } from './glob.js';
import type { HeldStage } from './hold.js';
import { type Item, type ItemFile, itemsOf, printItems } from './item-list.js';
import type { Resolved } from './resolve.js';
import { reuseItems } from './reuse-items.js';
import { type CommandGroup, runCommand } from './run-command.js';
import { type Foreach, type Stage, stageName } from './stage.js';
import { kindWord } from './tree-entry.js';

/** What running items needs besides the stage. */
export interface ItemsRun {
  readonly foreach: Foreach;
  readonly before: Resolved;
  readonly held: HeldStage;
}

/**
 * Makes the directory of a stage with `foreach` and its list of items: files of items that are as they were are taken over from the last result, the command runs for
 * the others, several at a time, each with a directory of its own in `SLUICE_OUT`. The first failure ends the others. Throws `ERR_COMMAND_FAILED`,
 * `ERR_ITEM_COLLISION`, `ERR_STAGE_DEFINITION` and `ERR_INTERRUPTED`.
 */
export async function runItems(context: StageContext, stage: Stage, run: ItemsRun): Promise<void> {
  const { foreach, before } = run;
  const out = absolutePath(context.workspace, foreach.out);
  const shared = fingerprintOf(
    before.parts.filter(({ kind, name }) => kind !== 'dep' || name !== foreach.glob.pattern),
  );
  const items = itemsOf(await filesOf(context, foreach), foreach.glob.base, foreach.groupBy, shared);
  mkdirSync(out, { recursive: true });
  const made = new Map(await reuseItems(context, stage, foreach, items));
  const owners = new Map([...made].flatMap(([name, { files }]) => files.map((file) => [file, name] as const)));
  const pending = items.filter(({ name }) => !made.has(name));
  tell(context, stage, items.length, pending.length);
  const commands = new ItemCommands(context, stage, run);
  await commands.runAll(pending, (item, directory) => {
    const files = take(directory, out, (file) => claim(stage, owners, file, item.name));
    made.set(item.name, { key: item.key, files });
  });
  writeFileSync(absolutePath(context.workspace, itemsPath(foreach.out)), printItems(made));
}

/** The files that the pattern matches, as they lie in the workspace. */
async function filesOf({ workspace, signal }: StageContext, { glob }: Foreach): Promise<ItemFile[]> {
  const matches = globMatcher(glob.pattern);
  const full = (below: string): string => (glob.base === '' ? below : `${glob.base}/${below}`);
  const ignore = (below: string, isDirectory: boolean): boolean => !isDirectory && !matches(full(below));
  const only = { name: `items ${glob.pattern}`, ignore };
  const observed = await observe(workspace, glob.base, { as: 'dep', only, signal });
  return (observed?.snapshot.directories ?? []).flatMap((directory) =>
    directory.names.flatMap((_, i): ItemFile[] => {
      if (directory.kinds[i] === TREE) return [];
      const digest = digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES);
      const path = full(entryPath(directory, i)) as ItemFile['path'];
      return [{ path, value: `${kindWord(directory.kinds[i])} ${digest}` }];
    }),
  );
}

function tell({ emit }: StageContext, stage: Stage, all: number, pending: number): void {
  const found =
    all > 0
      ? `${pending} of ${all} items are new or changed`
      : `no file matches ${stage.foreach?.glob.pattern}, so there are no items`;
  emit({ type: 'note', message: `${stageName(stage.id)}: ${found}` });
}

/** Commands of items that run at the same time. */
class ItemCommands {
  private readonly context: StageContext;
  private readonly stage: Stage;
  private readonly run: ItemsRun;
  private readonly groups = new Set<CommandGroup>();
  private readonly stop = new AbortController();
  private failure: { readonly error: unknown } | undefined;

  constructor(context: StageContext, stage: Stage, run: ItemsRun) {
    this.context = context;
    this.stage = stage;
    this.run = run;
  }

  async runAll(items: readonly Item[], done: (item: Item, directory: string) => void): Promise<void> {
    const { signal } = this.context;
    const stop = (): void => this.stop.abort();
    const forget = whenAborted(signal, stop);
    if (signal?.aborted) stop();
    const queue = items.entries();
    const lane = async (): Promise<void> => {
      for (const [number, item] of queue) {
        if (this.failure !== undefined || this.stop.signal.aborted) return;
        try {
          done(item, await this.runOne(item, number));
        } catch (error) {
          this.failure ??= { error };
          this.stop.abort();
        }
      }
    };
    try {
      const lanes = Math.min(items.length, this.run.foreach.atOnce ?? availableParallelism());
      await Promise.all(Array.from({ length: lanes }, lane));
    } finally {
      forget();
    }
    if (this.failure !== undefined) throw this.failure.error;
    if (signal?.aborted) throw new SluiceError('ERR_INTERRUPTED', 'interrupted');
  }

  /** Returns the directory that the item's command has filled. */
  private async runOne(item: Item, number: number): Promise<string> {
    const { context, stage } = this;
    const { workspace } = context;
    const directory = join(moveOf(workspace.root, this.run.foreach.out).dir, 'items', String(number));
    mkdirSync(directory, { recursive: true });
    const cwd = absolutePath(workspace, stage.cwd);
    const files = item.files.map((path) => relative(cwd, absolutePath(workspace, path)));
    const env = {
      ...context.env,
      SLUICE_STAGE: stageName(stage.id),
      SLUICE_ROOT: workspace.root,
      SLUICE_OUT: directory,
      SLUICE_ITEM: this.run.foreach.groupBy === undefined ? (files[0] ?? '') : item.name,
      SLUICE_ITEM_NAME: item.name.replace(/(?<=[^/])\.[^./]*$/, ''),
      SLUICE_ITEM_FILES: files.join('\n'),
    };
    let group: CommandGroup | undefined;
    const onStart = (started: CommandGroup): void => {
      group = started;
      this.groups.add(started);
      this.run.held.running([...this.groups]);
    };
    try {
      const { signal } = this.stop;
      const { store } = workspace;
      const command = stage.command ?? '';
      const result = await runCommand(
        command,
        cwd,
        stageName(stage.id),
        { ...context, env, signal },
        onStart,
        store.files,
      );
      if (result.exitCode !== 0) throw commandFailed(stage, result, `for ${item.name}`);
      return directory;
    } finally {
      if (group !== undefined && this.groups.delete(group)) this.run.held.running([...this.groups]);
    }
  }
}

/** Moves what an item made into the out; returns the paths of its files. */
function take(directory: string, out: string, mayTake: (file: string) => void): string[] {
  const files = [...filesBelow(directory, '')].sort(compareUtf8);
  files.forEach(mayTake);
  for (const file of files) {
    const target = join(out, file);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(directory, file), target);
  }
  return files;
}

function* filesBelow(directory: string, below: string): Generator<string> {
  for (const name of readdirSync(join(directory, below))) {
    const path = below === '' ? name : `${below}/${name}`;
    if (lstatSync(join(directory, path)).isDirectory()) yield* filesBelow(directory, path);
    else yield path;
  }
}

function claim(stage: Stage, owners: Map<string, string>, file: string, item: string): void {
  const other = owners.get(file);
  owners.set(file, item);
  const above = [...ancestors(file)].find((path) => owners.has(path));
  if (other === undefined && above === undefined) return;
  throw new SluiceError(
    'ERR_ITEM_COLLISION',
    `${stageName(stage.id)}: ${item} and ${other ?? owners.get(above ?? '')} both made ${above ?? file}`,
    { hint: 'Name what an item makes after the item: "$SLUICE_OUT/$SLUICE_ITEM_NAME.csv".' },
  );
}

function* ancestors(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
}
