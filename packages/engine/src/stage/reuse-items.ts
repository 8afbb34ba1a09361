import { linkSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../errors.js';
import { equalRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { completeness } from '../store/complete.js';
import { moveOf, oldPath } from '../workspace/moves.js';
import { outIndexPath } from '../workspace/observe.js';
import { placeFiles, snapshotPath } from '../workspace/place.js';
import { allFiles, type Change, filterSnapshot, isLink, plannedSnapshot } from '../workspace/plan-placement.js';
import { KNOWN, type Snapshot } from '../workspace/snapshot.js';
import { applyIndex, readIndex, WHOLE, writeIndex } from '../workspace/stat-index.js';
import { walk } from '../workspace/walk.js';
import { absolutePath } from '../workspace/workspace.js';
import type { StageContext } from './context.js';
import { itemsPath } from './define-foreach.js';
import { type Item, type MadeItem, type MadeItems, parseItems } from './item-list.js';
import { linkKinds } from './restore.js';
import type { Foreach, Out, Stage } from './stage.js';

/** A file younger than its index is looked at again (`docs/format.md`, "Stat index"); so the index waits a little longer than the grain of a clock. */
const SETTLE_MS = 25;

/**
 * Puts the files of items that are as they were into the new out and returns those items. They are linked from the last result, which lies aside and is deleted
 * when all went well, or else come from the store or a remote. What cannot be had is made again.
 */
export async function reuseItems(
  context: StageContext,
  stage: Stage,
  foreach: Foreach,
  items: readonly Item[],
): Promise<MadeItems> {
  const out = stage.outs.find(({ path }) => path === foreach.out);
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  const root = locked?.outs.get(foreach.out);
  const listRoot = locked?.outs.get(itemsPath(foreach.out));
  if (out === undefined || root?.kind !== 'tree' || listRoot === undefined) return new Map();
  try {
    const list = parseItems((await readBlob(context, out, listRoot)).toString('utf8')) ?? new Map();
    const same = items.flatMap(({ name, key }): [string, MadeItem][] => {
      const made = list.get(name);
      return made?.key === key ? [[name, made]] : [];
    });
    return await takeOver(context, out, root, new Map(same));
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code === 'ERR_INTERRUPTED') throw error;
    context.emit({
      type: 'note',
      message: `the last result cannot be had, so every item is made again: ${error.message}`,
    });
    return new Map();
  }
}

async function readBlob(context: StageContext, out: Out, root: OutRoot): Promise<Buffer> {
  const { reader } = context.workspace.store;
  if (!reader.catalog.has('blob', rawOf(root.digest))) {
    await context.remotes.fetch([{ root, remote: out.remote }], 'everything');
    reader.catalog.refresh();
  }
  return Buffer.from(reader.read('blob', rawOf(root.digest)));
}

async function takeOver(context: StageContext, out: Out, root: OutRoot, same: MadeItems): Promise<MadeItems> {
  const { workspace, signal } = context;
  const { store } = workspace;
  const files = new Set([...same.values()].flatMap((made) => [...made.files]));
  if (files.size === 0) return same;
  if (completeness(store.reader, root, () => false) !== 'complete') {
    await context.remotes.fetch([{ root, remote: out.remote }], 'trees');
    store.reader.catalog.refresh();
  }
  const wanted = filterSnapshot(plannedSnapshot(store.reader, root, basename(out.path)), (path) => files.has(path));
  const changes = allFiles(wanted);
  // The list is of another result.
  if (changes.length !== files.size) return new Map();
  const target = absolutePath(workspace, out.path);
  for (const { path } of wanted.directories) mkdirSync(join(target, path), { recursive: true });
  const missing = await linkOld(context, out, changes);
  await bring(context, out, root, missing);
  await placeFiles(target, missing, snapshotPath, {
    bulk: workspace.bulk,
    storeDir: store.layout.dir,
    how: linkKinds(workspace.link, out, undefined),
    readOnly: out.mutability === 'strict',
    signal,
  });
  await noteDigests(context, out, wanted);
  return same;
}

/** Links what lies aside and has the right bytes; returns the rest. */
async function linkOld({ workspace, signal }: StageContext, out: Out, changes: readonly Change[]): Promise<Change[]> {
  const old = oldPath(moveOf(workspace.root, out.path));
  const target = absolutePath(workspace, out.path);
  const seen = await walk(old, { followRoot: false, bulk: workspace.bulk, signal });
  if (seen?.shape !== 'directory') return [...changes];
  applyIndex(seen, readIndex(outIndexPath(workspace, out.path)));
  const known = new Map(allFiles(seen).map((change) => [snapshotPath(change), change]));
  return changes.filter((change) => {
    const path = snapshotPath(change);
    const there = known.get(path);
    if (there === undefined || isLink(change) || !isSame(there, change)) return true;
    mkdirSync(dirname(join(target, path)), { recursive: true });
    return !tryLink(join(old, path), join(target, path));
  });
}

function isSame(seen: Change, wanted: Change): boolean {
  const { directory, entry } = seen;
  if (directory.flags[entry] !== KNOWN || directory.kinds[entry] !== wanted.directory.kinds[wanted.entry]) return false;
  return equalRaw(
    directory.digests,
    entry * RAW_DIGEST_BYTES,
    wanted.directory.digests,
    wanted.entry * RAW_DIGEST_BYTES,
  );
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    // A file system without hard links, or one file with too many: the store has the bytes too.
    return false;
  }
}

async function bring(context: StageContext, out: Out, root: OutRoot, changes: readonly Change[]): Promise<void> {
  const paths = new Set(changes.map(snapshotPath));
  const filter = (path: string): boolean => paths.has(path);
  const { reader } = context.workspace.store;
  if (paths.size === 0 || completeness(reader, root, filter) === 'complete') return;
  await context.remotes.fetch([{ root, remote: out.remote, filter }], 'everything');
  reader.catalog.refresh();
}

/** Files that were taken over need not be read again; one that a command changes from now on shows it. */
async function noteDigests({ workspace, signal }: StageContext, out: Out, wanted: Snapshot): Promise<void> {
  await sleep(SETTLE_MS);
  const seen = await walk(absolutePath(workspace, out.path), { followRoot: false, bulk: workspace.bulk, signal });
  if (seen === undefined) return;
  const known = new Map(allFiles(wanted).map((change) => [snapshotPath(change), change]));
  for (const { directory, entry } of allFiles(seen)) {
    const from = known.get(snapshotPath({ directory, entry }));
    if (from === undefined) continue;
    from.directory.digests.copy(
      directory.digests,
      entry * RAW_DIGEST_BYTES,
      from.entry * RAW_DIGEST_BYTES,
      (from.entry + 1) * RAW_DIGEST_BYTES,
    );
    directory.flags[entry] = KNOWN;
  }
  writeIndex(outIndexPath(workspace, out.path), seen, WHOLE);
}
