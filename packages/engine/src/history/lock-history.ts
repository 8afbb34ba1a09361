import { SluiceError } from '../errors.js';
import { LOCK_FILE } from '../model/lock.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import { type Commit, parseCommit } from './git.js';
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
  const blobs = await findLocks(root, commits, options);
  yield* readBlobs(root, blobs, options);
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
  const add = (rev: Commit, mode: string | undefined, blob: string | undefined, name: string | undefined): void => {
    const path = name === undefined ? undefined : tryParseRelPath(name);
    const isFile = mode?.startsWith('100') ?? false;
    if (isFile && blob !== undefined && path !== undefined && isLock(path) && !blobs.has(blob))
      blobs.set(blob, { rev, path });
  };
  const listed = await git(root, ['ls-tree', '-r', '-z', first], options);
  for (const entry of fields(listed)) {
    const [, mode, blob, name] = /^(\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    add(first, mode, blob, name);
  }
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
      add(rev, change[1], change[2], field);
      change = null;
    } else {
      rev = parseCommit(field) ?? rev;
      change = /^:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*$/.exec(field);
    }
  }
  return blobs;
}

/** Reads blobs through one `cat-file`, in their order. */
async function* readBlobs(
  root: string,
  blobs: ReadonlyMap<string, Place>,
  options: GitOptions,
): AsyncGenerator<LockAt, void> {
  if (blobs.size === 0) return;
  const reading = startGit(root, ['cat-file', '--batch'], { ...options, input: `${[...blobs.keys()].join('\n')}\n` });
  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of reading.stdout) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (let blob = takeBlob(pending); blob !== undefined; blob = takeBlob(pending)) {
        const place = blobs.get(blob.name);
        if (place !== undefined) yield { ...place, text: blob.text };
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

function isLock(path: RelPath): boolean {
  return path === LOCK_FILE || path.endsWith(`/${LOCK_FILE}`);
}

function fields(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
}
