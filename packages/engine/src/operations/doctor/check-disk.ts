import fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import { readLockFile } from '../../stage/lock-file.js';
import { formatBytes } from '../../text/format.js';
import { prepareStateDir } from '../../workspace/state-dir.js';
import { failureOf } from './check-declarations.js';
import type { Diagnosis, Patient } from './finding.js';

/** A file server's clock may lag behind by less than this without harm: times are compared with those of its own files. */
const SKEW_MS = 2000;

/** Types of file systems, from the Linux header `magic.h`, that answer over a network. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
]);

/** Tries out the file systems of store and workspace, in a directory that is removed again. */
export function checkDisk(patient: Patient, nowMs: () => number): Diagnosis[] {
  const { root, config } = patient;
  prepareStateDir(root);
  const made: string[] = [];
  try {
    const here = probeDir(join(root, '.sluice'), made);
    const store = config.store === join(root, '.sluice') ? here : probeDir(config.store, made);
    return [
      ...checkReflink(patient, store, here),
      ...checkClock(here, nowMs),
      ...checkNames(here),
      ...checkModes(here),
      ...checkLinks(here),
      ...checkNetwork(config.store),
    ];
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [
      fileSystem('.sluice', `cannot be written (${errnoOf(error)})`, 'Make .sluice and the store writable.', 'problem'),
    ];
  } finally {
    for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
  }
}

function probeDir(parent: string, made: string[]): string {
  fs.mkdirSync(parent, { recursive: true });
  const dir = fs.mkdtempSync(join(parent, 'doctor-'));
  made.push(dir);
  return dir;
}

function checkReflink(patient: Patient, store: string, here: string): Diagnosis[] {
  if (!patient.config.link.includes('reflink')) return [];
  const source = join(store, 'object');
  fs.writeFileSync(source, Buffer.alloc(65_536, 1));
  const code = failureCode(() => fs.copyFileSync(source, join(here, 'clone'), fs.constants.COPYFILE_FICLONE_FORCE));
  if (code === undefined) return [];
  const bytes = bytesInPlace(patient);
  const cost = bytes === 0 ? '' : `; the data that is in place now takes ${formatBytes(bytes)} twice`;
  const place =
    code === 'EXDEV' ? 'The store is on another file system than the workspace' : 'This file system has no reflinks';
  return [
    {
      check: 'reflink',
      level: 'note',
      subject: 'store and workspace',
      message: `cannot share bytes, so every file in the workspace is a full copy of its object${cost}`,
      fix: `${place}: put both on one with reflinks (btrfs, XFS, APFS), or declare data that nobody edits with "mutability": "strict", which is linked.`,
    },
  ];
}

/** Bytes of the locked outs that lie in the workspace. */
function bytesInPlace({ root, stages }: Patient): number {
  let bytes = 0;
  for (const { id, projectRoot, outs } of stages) {
    if (failureOf(() => readLockFile(root, projectRoot)) !== undefined) continue;
    const locked = readLockFile(root, projectRoot).stages.get(id.target);
    for (const { path, cache } of outs) {
      if (cache && fs.existsSync(join(root, path))) bytes += locked?.outs.get(path)?.bytes ?? 0;
    }
  }
  return bytes;
}

function checkClock(here: string, nowMs: () => number): Diagnosis[] {
  const beforeMs = nowMs();
  const stamps = ['1', '2', '3', '4', '5'].map((name) => {
    const path = join(here, `clock-${name}`);
    fs.writeFileSync(path, name);
    return fs.statSync(path, { bigint: true }).mtimeNs;
  });
  const fileMs = Number((stamps[0] ?? 0n) / 1_000_000n);
  const skewMs = fileMs < beforeMs ? beforeMs - fileMs : Math.max(0, fileMs - nowMs());
  const found: Diagnosis[] = [];
  if (skewMs > SKEW_MS) {
    found.push({
      check: 'clock',
      level: 'note',
      subject: '.sluice',
      message: `lies on a file system whose clock is ${Math.round(skewMs / 1000)} s away from that of this machine`,
      fix: 'Set the clocks by NTP: ages, as in `gc --records 14d`, are told by them.',
    });
  }
  if (stamps.every((stamp) => stamp % 1_000_000_000n === 0n)) {
    found.push({
      check: 'clock',
      level: 'note',
      subject: '.sluice',
      message:
        'lies on a file system that keeps times in whole seconds, so files that were just written are read once more',
      fix: 'Nothing has to be done; another file system is faster.',
    });
  }
  return found;
}

function checkNames(here: string): Diagnosis[] {
  fs.writeFileSync(join(here, 'name-é'), '');
  const found: Diagnosis[] = [];
  if (fs.existsSync(join(here, 'NAME-é'))) {
    const problem =
      'does not tell upper from lower case: an out with two names that differ only there cannot be checked out';
    found.push(fileSystem('.sluice', problem, 'Keep such names out of data that is shared with other machines.'));
  }
  return found;
}

function checkModes(here: string): Diagnosis[] {
  const path = join(here, 'mode');
  fs.writeFileSync(path, '');
  fs.chmodSync(path, 0o755);
  if ((fs.statSync(path).mode & 0o100) !== 0) return [];
  const problem = 'keeps no executable bits, so programs among the data look changed';
  return [fileSystem('.sluice', problem, 'Work on a file system with Unix permissions.')];
}

function checkLinks(here: string): Diagnosis[] {
  if (failureCode(() => fs.symlinkSync('mode', join(here, 'link'))) === undefined) return [];
  return [fileSystem('.sluice', 'has no symbolic links', 'Work on a file system that has them if your data does.')];
}

function checkNetwork(store: string): Diagnosis[] {
  const kind = NETWORK.get(fs.statfsSync(store).type);
  if (kind === undefined) return [];
  const problem = `is a store on a network (${kind}): each lookup of an object waits for it`;
  return [fileSystem(store, problem, 'Keep the store on a local disk, and share data by a remote.')];
}

function fileSystem(subject: string, message: string, fix: string, level: Diagnosis['level'] = 'note'): Diagnosis {
  return { check: 'file-system', level, subject, message, fix };
}

function failureCode(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    return code;
  }
}
