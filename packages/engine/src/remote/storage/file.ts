import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, SluiceError, throwIfAborted } from '../../errors.js';
import { BodyFailed, explain, isMissing, missingBase, missingMarker } from './file-errors.js';
import { listDirectory } from './file-list.js';
import type { Body, ByteRange, PutOptions, Storage, StorageKey } from './port.js';

/** How a directory is opened as a storage. */
export interface FileStorageOptions {
  /** Absolute path. */
  readonly dir: string;
  /**
   * What a missing directory means to a reader: `true`, an empty storage, because nothing was ever put there; otherwise `ERR_REMOTE_DOWN`, because a
   * directory that was there and is gone is most likely not mounted, and then nothing is known about what it holds.
   */
  readonly missingIsEmpty?: boolean;
  /**
   * An object that is there as long as anything is. Where it was seen once, or `missingIsEmpty` is not set, a directory without it is not the one that was
   * meant, such as the empty one under a mount that is gone: nothing there counts as missing, and nothing is made there.
   */
  readonly marker?: StorageKey;
}

/** Unfinished files lie here, on the same file system as the objects; no key of a remote begins with it. */
const UNFINISHED = 'tmp';
/** No upload takes longer, so what is older was left behind by a writer that died. */
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/**
 * A directory as a storage. An object is one file, written under `tmp/`, synced, and then renamed (or linked, for `ifAbsent`) to its name, whose
 * directory is synced too. The first put makes the directory if its parent exists.
 */
export function fileStorage(options: FileStorageOptions): Storage {
  const base = options.dir;
  const place = new Place(base, options.missingIsEmpty ?? false, options.marker);
  return {
    description: `file://${base}`,
    durable: true,
    stat: (key, { signal } = {}) =>
      place.lookAt(key, signal, async () => {
        const stat = await fs.stat(place.path(key));
        return stat.isFile() ? { bytes: stat.size } : undefined;
      }),
    get: (key, range, { signal, allocate } = {}) =>
      place.lookAt(key, signal, () => readRange(place.path(key), range, allocate)),
    put: (key, body, putOptions = {}) =>
      place.change(putOptions.signal, async () => {
        const answer = await put(place, key, body, putOptions);
        place.saw(key);
        return answer;
      }),
    list: (prefix, { signal } = {}) => listDirectory(place, base, prefix, UNFINISHED, signal),
    delete: (key, { signal } = {}) => place.change(signal, () => fs.rm(place.path(key), { force: true })),
  };
}

/** The directory: what its errors mean, and what this process has already prepared in it. */
class Place {
  private readonly base: string;
  private readonly missingIsEmpty: boolean;
  private readonly marker: StorageKey | undefined;
  private markerSeen: boolean;
  private readonly prepared = new Set<string>();

  constructor(base: string, missingIsEmpty: boolean, marker: StorageKey | undefined) {
    this.base = base;
    this.missingIsEmpty = missingIsEmpty;
    this.marker = marker;
    this.markerSeen = marker !== undefined && !missingIsEmpty;
  }

  path(key: StorageKey): string {
    return join(this.base, key);
  }

  /** {@link Place.look} at one object. */
  async lookAt<T>(key: StorageKey, signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T | undefined> {
    const found = await this.look(signal, read);
    if (found !== undefined) this.saw(key);
    // Whoever asks for the marker itself wants to know whether it is there.
    else if (key !== this.marker) await this.expectMarker();
    return found;
  }

  /** An object is there. */
  saw(key: StorageKey): void {
    if (key === this.marker) this.markerSeen = true;
  }

  /** Throws `ERR_REMOTE_DOWN` if the marker was there once and is not. */
  async expectMarker(): Promise<void> {
    if (this.marker === undefined || !this.markerSeen) return;
    try {
      await fs.stat(this.path(this.marker));
    } catch (error) {
      throw isMissing(error) ? missingMarker(this.base) : explain(error, this.base);
    }
  }

  /** Runs a reading call; a file that is not there becomes `undefined`, but only while the directory itself is there. */
  async look<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T | undefined> {
    throwIfAborted(signal);
    try {
      return await read();
    } catch (error) {
      if (!isMissing(error)) throw explain(error, this.base);
      await this.expectBase();
      return undefined;
    }
  }

  async change<T>(signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    try {
      return await write();
    } catch (error) {
      throw explain(error, this.base);
    }
  }

  /** A new name under `tmp/`. The first one of this process deletes what dead writers left there. */
  async unfinished(): Promise<string> {
    const dir = join(this.base, UNFINISHED);
    if (!this.prepared.has(dir)) {
      await this.prepareBase();
      await this.directory(dir);
      await deleteLeftBehind(dir);
    }
    return join(dir, randomBytes(16).toString('hex'));
  }

  /** Makes a directory below the base with its parents, and makes their names durable. */
  async directory(dir: string): Promise<void> {
    if (this.prepared.has(dir)) return;
    const made: string[] = [];
    for (let at = dir; at.length > this.base.length && !this.prepared.has(at); at = dirname(at)) made.unshift(at);
    for (const at of made) {
      try {
        await fs.mkdir(at);
        await syncDirectory(dirname(at));
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
      this.prepared.add(at);
    }
  }

  /** Somebody removed a directory that this process had made. */
  forget(): void {
    this.prepared.clear();
  }

  private async prepareBase(): Promise<void> {
    await this.expectMarker();
    try {
      await fs.mkdir(this.base);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return;
      if (errnoOf(error) === 'ENOENT') throw missingBase(dirname(this.base));
      throw error;
    }
    await syncDirectory(dirname(this.base));
  }

  private async expectBase(): Promise<void> {
    let isDirectory = false;
    try {
      isDirectory = (await fs.stat(this.base)).isDirectory();
    } catch (error) {
      if (!isMissing(error)) throw explain(error, this.base);
      if (this.missingIsEmpty) return;
    }
    if (!isDirectory) throw missingBase(this.base);
  }
}

async function put(place: Place, key: StorageKey, body: Body, options: PutOptions): Promise<'stored' | 'exists'> {
  const path = place.path(key);
  for (let attempt = 0; ; attempt++) {
    const unfinished = await place.unfinished();
    try {
      await writeDurably(unfinished, body, options.signal);
      await place.directory(dirname(path));
      const answer = await giveName(unfinished, path, options.ifAbsent ?? false);
      await syncDirectory(dirname(path));
      return answer;
    } catch (error) {
      // A directory that this process had seen was removed meanwhile: begin again, once.
      if (errnoOf(error) !== 'ENOENT' || attempt > 0) throw error;
      place.forget();
    } finally {
      await fs.rm(unfinished, { force: true });
    }
  }
}

async function writeDurably(path: string, body: Body, signal: AbortSignal | undefined): Promise<void> {
  const handle = await fs.open(path, 'wx', 0o644);
  try {
    let written = 0;
    for await (const chunk of guarded(body)) {
      throwIfAborted(signal);
      await writeAll(handle, chunk);
      written += chunk.length;
    }
    if (written !== body.bytes) {
      throw new SluiceError('ERR_INTERNAL', `a body of ${body.bytes} bytes gave ${written} for ${basename(path)}`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* guarded(body: Body): AsyncGenerator<Buffer> {
  try {
    yield* body.chunks();
  } catch (error) {
    throw new BodyFailed('the body failed', { cause: error });
  }
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
}

/** A rename replaces; a link fails if the name is taken, whoever took it and when. */
async function giveName(unfinished: string, path: string, ifAbsent: boolean): Promise<'stored' | 'exists'> {
  if (!ifAbsent) {
    await fs.rename(unfinished, path);
    return 'stored';
  }
  try {
    await fs.link(unfinished, path);
    return 'stored';
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return 'exists';
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS' && code !== 'EMLINK')
      throw error;
  }
  // No links here (FAT, some network mounts): two writers at the very same moment can then both be told `stored`, and the later one's bytes stay.
  const taken = await fs.stat(path).then(
    () => true,
    () => false,
  );
  if (taken) return 'exists';
  await fs.rename(unfinished, path);
  return 'stored';
}

async function readRange(
  path: string,
  { offset, length }: ByteRange,
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow,
): Promise<Buffer> {
  const handle = await fs.open(path, 'r');
  try {
    const left = (await handle.stat()).size - offset;
    const bytes = allocate(Math.max(0, Math.min(length, left)));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems cannot sync a directory; they have no promise to keep.
    const code = errnoOf(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EPERM' && code !== 'EBADF') throw error;
  } finally {
    await handle.close();
  }
}

/** Ages are taken by the clock of the file system: a file made just now says what time it is there. */
async function deleteLeftBehind(dir: string): Promise<void> {
  const names = await fs.readdir(dir);
  if (names.length === 0) return;
  const probe = join(dir, randomBytes(16).toString('hex'));
  await fs.writeFile(probe, '');
  const now = (await fs.stat(probe)).mtimeMs;
  await fs.rm(probe, { force: true });
  for (const name of names) {
    const path = join(dir, name);
    try {
      if (now - (await fs.stat(path)).mtimeMs > LEFT_BEHIND_MS) await fs.rm(path, { force: true });
    } catch (error) {
      // Its writer, or another cleaner, was faster.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
