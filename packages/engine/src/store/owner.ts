import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { errnoOf } from '../errors.js';
import type { Files } from './files.js';

/**
 * Who holds a lease or a lock, as the name of its file:
 * `<host>-<boot id>-<pid namespace>-<pid>-<start time>-<random>`.
 * Never used twice, so the file of a dead owner can be deleted without hitting a new one.
 */
export interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  readonly start: string;
  readonly name: string;
}

/** How often a live owner moves the modification time of its file. */
export const HEARTBEAT_MS = 30_000;

/** An owner elsewhere (another machine or container) counts as dead after this long without a heartbeat; a sleeping laptop is not. */
const FOREIGN_DEAD_MS = 24 * 60 * 60 * 1000;

/** An owner from before this machine's last start is dead as soon as a heartbeat would have moved its file. */
const OLD_BOOT_DEAD_MS = 3 * HEARTBEAT_MS;

/** A new owner for this process. */
export function newOwner(files: Files): Owner {
  const { host, boot, namespace, start } = here(files);
  return parts(host, boot, namespace, process.pid, start, randomBytes(8).toString('hex'));
}

/** Parses the name of an owner's file; `undefined` if it is none. */
export function parseOwner(name: string): Owner | undefined {
  const match = /^([0-9a-f]+)-([0-9a-f]+)-(\d+)-(\d+)-(\d+)-([0-9a-f]+)$/.exec(name);
  if (match === null) return undefined;
  const [, host = '', boot = '', namespace = '', pid = '0', start = '', random = ''] = match;
  return parts(host, boot, namespace, Number(pid), start, random);
}

/**
 * Whether the owner may still be running. `heartbeatAgeMs` is the age of its file by the clock of the file system.
 * When it cannot be known (another machine, another container), the owner counts as alive until a day has passed.
 */
export function isAlive(files: Files, owner: Owner, heartbeatAgeMs: number): boolean {
  const { host, boot, namespace } = here(files);
  if (owner.host !== host) return heartbeatAgeMs < FOREIGN_DEAD_MS;
  if (owner.boot !== boot) return heartbeatAgeMs < OLD_BOOT_DEAD_MS;
  if (owner.namespace !== namespace) return heartbeatAgeMs < FOREIGN_DEAD_MS;
  return isProcessAlive(files, owner.pid, owner.start);
}

/** Whether a process with this pid, and on Linux this start time, exists and is not a zombie. */
export function isProcessAlive(files: Files, pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') return false;
  }
  const now = startTime(files, pid);
  return now === undefined || start === '0' ? true : now === start;
}

/** Start time of a process in clock ticks since boot (field 22 of `/proc/<pid>/stat`); `undefined` where there is no `/proc`, `'-1'` for a zombie. */
export function startTime(files: Files, pid: number): string | undefined {
  const stat = readText(files, `/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command in field 2 can hold spaces and brackets; the fields after its last bracket cannot.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '-1' : (fields[19] ?? '0');
}

function parts(host: string, boot: string, namespace: string, pid: number, start: string, random: string): Owner {
  return { host, boot, namespace, pid, start, name: [host, boot, namespace, pid, start, random].join('-') };
}

type Place = Pick<Owner, 'host' | 'boot' | 'namespace' | 'start'>;

const places = new WeakMap<Files, Place>();

/** This machine, its last start, and this process: what does not change while it runs is read once. */
function here(files: Files): Place {
  const known = places.get(files);
  if (known !== undefined) return known;
  const start = startTime(files, process.pid) ?? '0';
  const place = { host: machineId(files), boot: bootId(files), namespace: namespaceId(files), start };
  places.set(files, place);
  return place;
}

function machineId(files: Files): string {
  const id = readText(files, '/etc/machine-id') ?? '';
  return createHash('sha256').update(`${id}\n${hostname()}`).digest('hex').slice(0, 12);
}

function bootId(files: Files): string {
  return (readText(files, '/proc/sys/kernel/random/boot_id') ?? '0').trim().replaceAll('-', '');
}

function namespaceId(files: Files): string {
  try {
    return String(files.statSync('/proc/self/ns/pid').ino);
  } catch {
    return '0';
  }
}

function readText(files: Files, path: string): string | undefined {
  try {
    return files.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
