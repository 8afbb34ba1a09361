import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError, throwIfAborted } from '../errors.js';
import { writeWhole } from '../util/whole-io.js';
import type { Files } from './files.js';
import type { Layout } from './layout.js';
import { isFileOfLiveOwner, listNames } from './lease.js';
import { HEARTBEAT_MS, newOwner } from './owner.js';
import { explained } from './unwritable.js';

/** A held lock. */
export interface Held {
  /** Replaces what others find when they have to take over, such as a command's process group. */
  note(text: string): void;
  /** Safe to call twice. */
  release(): void;
}

/** How to wait for a lock. */
export interface AcquireOptions {
  /** `false`: throw `ERR_HELD` as soon as it is clear that somebody holds it, and not just asks for it in the same moment. */
  readonly wait: boolean;
  /** Names what is held, for messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** Called once if the lock is not free. */
  readonly onWait?: () => void;
  /** Called with the note of each dead holder, before its file is deleted; must bear being called twice. */
  readonly onDead?: (note: string) => Promise<void> | void;
}

const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;
/** Of those that only ask, all but one have withdrawn by then. */
const LOOKS_WITHOUT_WAIT = 3;

/**
 * Takes the lock `name` of a store. Each contender announces itself with a file of its own in `locks/<name>/` and then looks: if nobody
 * else is there, it holds the lock. Whoever looked without seeing the other announced itself first, so two can never both hold it. When several are there,
 * the smallest name stays and waits; the others withdraw and come again. Files of dead processes are deleted by whoever meets
 * them, which is safe because no name is used twice.
 *
 * Throws `ERR_HELD` if it is held and `wait` is false, `ERR_INTERRUPTED` on abort, `ERR_STORE_UNWRITABLE`.
 */
export async function acquire(files: Files, layout: Layout, name: string, options: AcquireOptions): Promise<Held> {
  const dir = join(layout.locks, name);
  explained(layout, () => files.mkdirSync(dir, { recursive: true }));
  let pauseMs = FIRST_PAUSE_MS;
  let mine: Announcement | undefined;
  try {
    for (let looks = 1; ; looks++) {
      throwIfAborted(options.signal);
      mine ??= explained(layout, () => announce(files, dir));
      const others = await liveOthers(files, dir, mine.name, options.onDead);
      if (others.length === 0) {
        const held = mine;
        mine = undefined;
        return hold(files, held.path);
      }
      if (!options.wait && looks === LOOKS_WITHOUT_WAIT) throw heldError(options.what, others[0] ?? '');
      if (options.wait && looks === 1) options.onWait?.();
      if (others.some((other) => other < (mine?.name ?? ''))) {
        mine.withdraw();
        mine = undefined;
      }
      await pause(pauseMs * (0.5 + Math.random()), options.signal);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
  } finally {
    mine?.withdraw();
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

interface Announcement {
  readonly name: string;
  readonly path: string;
  withdraw(): void;
}

function announce(files: Files, dir: string): Announcement {
  const { name } = newOwner(files);
  const path = join(dir, name);
  files.closeSync(files.openSync(path, 'wx'));
  return { name, path, withdraw: () => files.rmSync(path, { force: true }) };
}

async function liveOthers(
  files: Files,
  dir: string,
  mine: string,
  onDead: AcquireOptions['onDead'],
): Promise<string[]> {
  const live: string[] = [];
  for (const name of listNames(files, dir)) {
    if (name === mine) continue;
    const path = join(dir, name);
    if (isFileOfLiveOwner(files, path, name)) {
      live.push(name);
      continue;
    }
    await onDead?.(readNote(files, path));
    files.rmSync(path, { force: true });
  }
  return live;
}

/** The first line: a shorter note leaves the end of a longer one behind it. */
function readNote(files: Files, path: string): string {
  try {
    return files.readFileSync(path, 'utf8').split('\n', 1)[0] ?? '';
  } catch {
    return '';
  }
}

function hold(files: Files, path: string): Held {
  const timer = setInterval(() => {
    const now = new Date();
    try {
      files.utimesSync(path, now, now);
    } catch {
      // The store was removed under us; whoever works in it meets that next.
    }
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    note: (text) => {
      const fd = files.openSync(path, 'r+');
      try {
        writeWhole(files, fd, Buffer.from(`${text}\n`));
      } finally {
        files.closeSync(fd);
      }
    },
    release: () => {
      clearInterval(timer);
      files.rmSync(path, { force: true });
    },
  };
}

function heldError(what: string, owner: string): SluiceError {
  const pid = owner.split('-')[3];
  return new SluiceError('ERR_HELD', `${what} is held by another process${pid === undefined ? '' : ` (pid ${pid})`}`, {
    hint: 'Wait for it to end, then run again.',
  });
}
