import { closeSync, openSync, readSync } from 'node:fs';
import { SluiceError } from '../errors.js';
import { rawOf, shortDigest } from '../model/digest.js';
import { pathFilter } from '../model/path-filter.js';
import { readRemoteBlob } from '../remote/read-blob.js';
import { isUnreachable } from '../remote/remote.js';
import { stageName } from '../stage/stage.js';
import type { ListedEntry } from '../store/list-tree.js';
import { relyOn } from '../store/rely.js';
import { formatBytes } from '../text/index.js';
import { readingOrder } from '../workspace/config.js';
import type { OperationContext } from './context.js';
import { fileSelector, type Version } from './versions.js';

/** Bytes of a file: the first, and the one behind the last. */
export interface ByteSpan {
  readonly from: number;
  readonly to: number;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of a file of a version, in order, each checked before it comes: from the store, or else straight from a remote, without going into the store. Throws
 * `ERR_NOT_LOCAL` with digest, size, remotes and command if it can be had nowhere, and what reading from a remote throws.
 */
export async function* readVersionFile(
  context: OperationContext,
  version: Version,
  entry: ListedEntry,
  span: ByteSpan,
): AsyncGenerator<Buffer> {
  const stored = await openStored(context, version, entry);
  if (stored === undefined) yield* readFromRemotes(context, version, entry, span);
  else yield* fromStored(context, stored, entry, span);
}

function* fromStored(
  { signal }: OperationContext,
  stored: Buffer | number,
  entry: ListedEntry,
  span: ByteSpan,
): Generator<Buffer> {
  if (typeof stored === 'number') yield* readOpened(stored, entry, span, signal);
  else yield stored.subarray(span.from, span.to);
}

/** Whether a fetch, which knows where else a blob may lie, brought the file into the store. */
async function isBrought(context: OperationContext, { root, out }: Version, { path }: ListedEntry): Promise<boolean> {
  try {
    const filter = pathFilter((other) => other === path, [path]);
    await context.remotes.fetch([{ root, filter, remote: out.remote }], 'everything');
    return true;
  } catch (error) {
    if (error instanceof SluiceError && (error.exitCode === 3 || error.exitCode === 4)) return false;
    throw error;
  }
}

/** The bytes of a small object, or an open file whose bytes were checked; `undefined` if the store has no sound copy. */
async function openStored(
  { workspace }: OperationContext,
  { root }: Version,
  { digest }: ListedEntry,
): Promise<Buffer | number | undefined> {
  const { store } = workspace;
  const { reader } = store;
  const raw = rawOf(digest);
  return relyOn(store, [root], () => {
    if (!reader.catalog.has('blob', raw)) return undefined;
    try {
      const linkable = reader.linkable(raw);
      // Copied: what the reader gives lasts until its next call only.
      return linkable === undefined ? Buffer.from(reader.read('blob', raw)) : openSync(linkable.path, 'r');
    } catch (error) {
      if (error instanceof SluiceError && error.exitCode === 4) return undefined;
      throw error;
    }
  });
}

/** The file is open, so it stays what it was checked to be, whatever a collection does. */
function* readOpened(
  fd: number,
  { digest }: ListedEntry,
  { from, to }: ByteSpan,
  signal: AbortSignal | undefined,
): Generator<Buffer> {
  try {
    for (let at = from; at < to; ) {
      signal?.throwIfAborted();
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - at));
      const count = readSync(fd, chunk, 0, chunk.length, at);
      if (count === 0) {
        throw new SluiceError('ERR_OBJECT_DAMAGED', `blob ${shortDigest(digest)} became shorter while it was read`, {
          hint: 'Run: sluice verify --deep --repair',
        });
      }
      at += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

async function* readFromRemotes(
  context: OperationContext,
  version: Version,
  entry: ListedEntry,
  { from, to }: ByteSpan,
): AsyncGenerator<Buffer> {
  const { workspace, signal, config } = context;
  const { root, out } = version;
  const names = readingOrder(config, out.remote);
  let failure: unknown;
  let at = from;
  for (const name of config.offline ? [] : names) {
    const { remote } = context.remotes.open(name);
    const wanted = { root, path: entry.path, raw: rawOf(entry.digest), size: entry.bytes, from: at, to };
    try {
      for await (const chunk of readRemoteBlob({ remote, reader: workspace.store.reader, signal }, wanted)) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (!isUnreachable(error) && !(error instanceof SluiceError && error.exitCode === 4)) throw error;
      failure ??= error;
    }
  }
  if (failure instanceof SluiceError && failure.code !== 'ERR_NOT_LOCAL') throw failure;
  // What a merge put together has no map yet, and its parts lie below those of its sides.
  if (names.length > 0 && at === from && (await isBrought(context, version, entry))) {
    const stored = await openStored(context, version, entry);
    if (stored !== undefined) return yield* fromStored(context, stored, entry, { from, to });
  }
  throw notLocal(context, version, entry, names);
}

function notLocal(
  context: OperationContext,
  version: Version,
  entry: ListedEntry,
  remotes: readonly string[],
): SluiceError {
  const { rev, out } = version;
  const { digest, bytes, path } = entry;
  const file = path === '' ? out.path : `${out.path}/${path}`;
  const { offline } = context.config;
  const named = `remote${remotes.length === 1 ? '' : 's'} ${remotes.join(', ')}`;
  const where =
    remotes.length === 0
      ? 'and no remote is configured'
      : offline
        ? `and ${named} ${remotes.length === 1 ? 'is' : 'are'} not asked: Sluice is offline`
        : `nor on ${named}`;
  const command = `sluice fetch ${rev === undefined ? '' : `--rev ${rev} `}'${fileSelector(context, version, path)}'`;
  const hint =
    remotes.length === 0
      ? 'Add the remote that has it (`sluice remote add`), or copy the store of a workspace that has it.'
      : offline
        ? `Run: ${command} (when ${remotes[0]} can be asked)`
        : `Run \`sluice push --all-commits ${stageName(version.stage.id)}\` in a workspace that has it, then: ${command}`;
  return new SluiceError(
    'ERR_NOT_LOCAL',
    `${JSON.stringify(file)} (${shortDigest(digest)}, ${formatBytes(bytes)}) is not in the store, ${where}`,
    { hint, details: { digest, bytes, remotes: [...remotes], command } },
  );
}
