import { SluiceError } from '../errors.js';
import { LOCK_FILE } from '../model/lock.js';
import { compareUtf8, type RelPath, tryParseRelPath } from '../model/path.js';
import { type Commit, parseCommit, resolveRev } from './git.js';
import { failureOf, type GitOptions, git, startGit } from './run-git.js';
import { type CommitGraph, commitsIn, type HistoryScope } from './scope.js';

/** The text of a lock in the history. */
export interface LockAt {
  /** A commit of the scope that has it. */
  readonly rev: Commit;
  /** One place where it lies, relative to the workspace root. */
  readonly path: RelPath;
  readonly text: string;
}

/**
 * Every lock that the commits of a scope have, each distinct text once, whatever commits and projects share it. A handful of git processes, however
 * long the history is. Locks outside the workspace are not looked at. Throws `ERR_REVISION`.
 */
export async function* locksOf(
  root: string,
  scope: HistoryScope,
  options: GitOptions = {},
): AsyncGenerator<LockAt, void> {
  const commits = await commitsIn(root, scope, options);
  const places = await findLocks(root, commits, options);
  for await (const [blob, text] of readBlobs(root, places.keys(), options)) {
    const place = places.get(blob);
    if (place !== undefined) yield { ...place, text };
  }
}

/** The texts of all locks at one revision, by path relative to the workspace root, sorted; two git processes for any number of projects. Throws `ERR_REVISION`. */
export async function lockTextsAt(root: string, rev: string, options: GitOptions = {}): Promise<Map<RelPath, string>> {
  const locks = await listLocks(root, await resolveRev(root, rev, options), options);
  const texts = new Map<string, string>();
  for await (const [blob, text] of readBlobs(root, new Set(locks.values()), options)) texts.set(blob, text);
  const found = [...locks].map(([path, blob]): [RelPath, string] => [path, texts.get(blob) ?? '']);
  return new Map(found.sort(([a], [b]) => compareUtf8(a, b)));
}

type Place = Pick<LockAt, 'rev' | 'path'>;

/**
 * The lock blobs of all commits: those of one commit in full, and for each other commit what differs from a commit that is looked at too.
 * Differences cost git only the directories on their way, so a commit of a long history costs next to nothing.
 */
async function findLocks(root: string, commits: CommitGraph, options: GitOptions): Promise<Map<string, Place>> {
  const blobs = new Map<string, Place>();
  const [first] = commits.keys();
  if (first === undefined) return blobs;
  for (const [path, blob] of await listLocks(root, first, options)) blobs.set(blob, { rev: first, path });
  const pairs = [...commits].map(
    ([commit, parents]) => `${commit} ${parents.find((parent) => commits.has(parent)) ?? first}\n`,
  );
  const args = [
    'diff-tree',
    '--stdin',
    '-r',
    '--raw',
    '-z',
    '--no-abbrev',
    '--no-renames',
    '--relative',
    '--',
    `:(glob)**/${LOCK_FILE}`,
  ];
  const differences = await git(root, args, { ...options, input: pairs.join('') });
  // A commit, then for each file that differs `:<mode> <mode> <blob> <blob> <status>` and its path.
  let rev: Commit = first;
  let change: RegExpExecArray | null = null;
  for (const field of fields(differences)) {
    if (change !== null) {
      const [, mode, blob = ''] = change;
      const path = lockPath(mode, field);
      if (path !== undefined && !blobs.has(blob)) blobs.set(blob, { rev, path });
      change = null;
    } else {
      rev = parseCommit(field) ?? rev;
      change = /^:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*$/.exec(field);
    }
  }
  return blobs;
}

/** The blobs of all locks that a commit has, by path. */
async function listLocks(root: string, commit: Commit, options: GitOptions): Promise<Map<RelPath, string>> {
  const locks = new Map<RelPath, string>();
  for (const entry of fields(await git(root, ['ls-tree', '-r', '-z', commit], options))) {
    const [, mode, blob, name] = /^(\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    const path = lockPath(mode, name);
    if (path !== undefined && blob !== undefined) locks.set(path, blob);
  }
  return locks;
}

/** The names and texts of blobs, read through one `cat-file`, in their order. */
export async function* readBlobs(
  root: string,
  blobs: Iterable<string>,
  options: GitOptions,
): AsyncGenerator<readonly [blob: string, text: string], void> {
  const input = [...blobs].map((blob) => `${blob}\n`).join('');
  if (input === '') return;
  const reading = startGit(root, ['cat-file', '--batch'], { ...options, input });
  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of reading.stdout) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (let blob = takeBlob(pending); blob !== undefined; blob = takeBlob(pending)) {
        yield [blob.name, blob.text];
        pending = blob.rest;
      }
    }
    const result = await reading.ended;
    if (result.status !== 0) throw await failureOf(root, result, options);
  } finally {
    reading.stop();
  }
}

/** `<name> blob <bytes>`, a newline, the bytes, a newline; `undefined` while it is not all there. */
function takeBlob(bytes: Buffer): { readonly name: string; readonly text: string; readonly rest: Buffer } | undefined {
  const start = bytes.indexOf('\n') + 1;
  if (start === 0) return undefined;
  const header = bytes.toString('latin1', 0, start - 1);
  const [, name, size] = /^([0-9a-f]+) blob (\d+)$/.exec(header) ?? [];
  if (name === undefined || size === undefined) {
    throw new SluiceError('ERR_REVISION', `git cannot give a lock of the history: ${header}`, {
      hint: 'Run `git fsck`, or fetch what the clone lacks.',
    });
  }
  const end = start + Number(size);
  if (bytes.length < end + 1) return undefined;
  return { name, text: bytes.toString('utf8', start, end), rest: bytes.subarray(end + 1) };
}

/** The path of a lock that is a plain file, and no link or submodule. */
export function lockPath(mode: string | undefined, name: string | undefined): RelPath | undefined {
  if (name === undefined || !mode?.startsWith('100')) return undefined;
  if (name !== LOCK_FILE && !name.endsWith(`/${LOCK_FILE}`)) return undefined;
  return tryParseRelPath(name);
}

function fields(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
}
