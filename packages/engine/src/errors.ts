/**
 * Every failure a user can meet. `exit` is the process exit code of the command line:
 * 1 the stage's command failed, 2 usage or configuration, 3 remote unreachable or denied,
 * 4 data damaged or missing, 5 held by another process, 70 a bug in Sluice, 130 interrupted.
 * `docs/errors.md` is generated from this table.
 */
export const ERRORS = {
  ERR_COMMAND_FAILED: { exit: 1, summary: "The stage's command ended with an error" },
  ERR_USAGE: { exit: 2, summary: 'A command, option or argument is not known or does not fit' },
  ERR_CONFIG: { exit: 2, summary: '`sluice.json` or `sluice.local.json` cannot be used' },
  ERR_WORKSPACE: { exit: 2, summary: 'No Nx workspace, or one that cannot be read' },
  ERR_STAGE_DEFINITION: { exit: 2, summary: 'The options of a stage are wrong' },
  ERR_SELECTOR: { exit: 2, summary: 'A selector names no project, target or out' },
  ERR_PARAM: { exit: 2, summary: 'A param file or key cannot be read' },
  ERR_ENV_NAME: { exit: 2, summary: 'The name of an environment variable is not valid' },
  ERR_CYCLE: { exit: 2, summary: 'Stages depend on each other in a circle' },
  ERR_RUNTIME: { exit: 2, summary: 'A `runtime` command of a stage failed' },
  ERR_REVISION: { exit: 2, summary: 'A git revision does not exist or git cannot be used here' },
  ERR_SHALLOW_CLONE: { exit: 2, summary: 'The history is cut off, so what it refers to is not known' },
  ERR_OUT_TRACKED_BY_GIT: { exit: 2, summary: 'git tracks an out that Sluice is to keep' },
  ERR_REMOTE_UNKNOWN: { exit: 2, summary: 'No remote has this name, or none is configured' },
  ERR_DOCTOR_FAILED: { exit: 2, summary: 'The workspace has problems that are not repaired' },
  ERR_STORE_UNWRITABLE: { exit: 2, summary: 'The store cannot be written' },
  ERR_SIGNING_KEY: { exit: 2, summary: 'The key for signatures is missing or cannot be used' },
  ERR_REMOTE_DOWN: { exit: 3, summary: 'The remote does not answer' },
  ERR_REMOTE_DENIED: { exit: 3, summary: 'The remote refuses access' },
  ERR_REMOTE_READ_ONLY: { exit: 3, summary: 'The remote is configured as read-only' },
  ERR_LOCKS_NOT_PUBLISHED: { exit: 3, summary: 'A commit of locks could not be pushed' },
  ERR_OBJECT_MISSING: { exit: 4, summary: 'An object is in no place where it was looked for' },
  ERR_OBJECT_DAMAGED: { exit: 4, summary: 'The bytes of an object do not have its digest' },
  ERR_TREE_INVALID: { exit: 4, summary: 'A tree is damaged' },
  ERR_PACK_INVALID: { exit: 4, summary: 'A pack is damaged' },
  ERR_MAP_INVALID: { exit: 4, summary: 'A map is damaged' },
  ERR_INDEX_INVALID: { exit: 4, summary: 'A stat index is damaged' },
  ERR_RECORD_INVALID: { exit: 4, summary: 'A record is damaged' },
  ERR_SIGNATURE: { exit: 4, summary: 'A record or map of a remote is not signed with a key that counts' },
  ERR_LOCK_INVALID: { exit: 4, summary: 'A lock cannot be read' },
  ERR_LOCK_CONFLICT: { exit: 4, summary: 'A lock holds conflicts of a merge' },
  ERR_LOCK_VERSION: { exit: 4, summary: 'A lock was written by a newer Sluice' },
  ERR_FORMAT_VERSION: { exit: 4, summary: 'Something was written by a newer Sluice' },
  ERR_NOT_LOCAL: { exit: 4, summary: 'Data is wanted that is only referred to here' },
  ERR_NOT_PUSHED: { exit: 4, summary: 'Git is about to publish locks whose data no remote holds' },
  ERR_UPSTREAM: { exit: 4, summary: 'A dep is absent and its producer has no result yet' },
  ERR_DEP_MISSING: { exit: 4, summary: 'A declared dep does not exist' },
  ERR_DEP_CHANGED: { exit: 4, summary: 'A dep changed while the stage ran' },
  ERR_OUT_MISSING: { exit: 4, summary: 'The command ended but did not make a declared out' },
  ERR_OUT_MODIFIED: { exit: 4, summary: 'An out has changes that would be lost' },
  ERR_OUT_PART: { exit: 4, summary: 'Only a part of an out is in the workspace' },
  ERR_ITEM_COLLISION: { exit: 4, summary: 'Two items of a stage made the same file' },
  ERR_FROZEN: { exit: 4, summary: 'A frozen stage would have to run' },
  ERR_FILE_CHANGED: { exit: 4, summary: 'A file changed while it was read' },
  ERR_FILE_UNREADABLE: { exit: 4, summary: 'A file or directory cannot be read' },
  ERR_FILE_KIND: { exit: 4, summary: 'A socket, pipe or device lies where data is expected' },
  ERR_FILE_NAME: { exit: 4, summary: 'A file name cannot be kept' },
  ERR_LINK_ESCAPES: { exit: 4, summary: 'A symbolic link leaves its out' },
  ERR_PATH_UNSAFE: { exit: 4, summary: 'A path from a store, remote or lock is not safe' },
  ERR_ARCHIVE_INVALID: { exit: 4, summary: 'An archive is damaged, or of a kind that cannot be unpacked' },
  ERR_ARCHIVE_UNSAFE: { exit: 4, summary: 'An archive holds an entry that is not safe' },
  ERR_ARCHIVE_TOO_LARGE: { exit: 4, summary: 'An archive unpacks to more than is allowed' },
  ERR_URL_UNSAFE: { exit: 2, summary: 'An address is not asked for' },
  ERR_DOWNLOAD: { exit: 3, summary: 'A file cannot be had from its address' },
  ERR_IMPORTS_INVALID: { exit: 4, summary: 'The list of imports of a project cannot be read' },
  ERR_EXPORT_EXISTS: { exit: 4, summary: 'Something else is where an export would write' },
  ERR_DISK_FULL: { exit: 4, summary: 'No space is left' },
  ERR_IO: { exit: 4, summary: 'The operating system could not read or write' },
  ERR_GC_STOPPED: { exit: 4, summary: 'The collection stopped before it deleted anything' },
  ERR_VERIFY_FAILED: { exit: 4, summary: 'The check found damaged or missing data' },
  ERR_HELD: { exit: 5, summary: 'Another process holds what is needed' },
  ERR_INTERNAL: { exit: 70, summary: 'A bug in Sluice' },
  ERR_INTERRUPTED: { exit: 130, summary: 'Interrupted' },
} as const;

/** The code of a {@link SluiceError}; each has an exit code and a section in `docs/errors.md`. */
export type ErrorCode = keyof typeof ERRORS;

/** What a {@link SluiceError} carries besides its message. */
export interface ErrorExtras {
  /** One sentence: what the user can do. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Data for programs; it goes into the JSON document as it is. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The only error class of the engine: a code, a message that says what and where, and a hint that says what to do. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.hint = extras.hint;
    this.details = extras.details;
  }

  /** The exit code of a process that ends because of this error. */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

/** The shape of a {@link SluiceError} between threads and in JSON documents. */
export interface ErrorWire {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Turns any thrown value into the form that crosses a thread or is printed as JSON. */
export function toErrorWire(error: unknown): ErrorWire {
  const known = asSluiceError(error);
  return {
    code: known.code,
    message: known.message,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known.details === undefined ? {} : { details: known.details }),
  };
}

/** The inverse of {@link toErrorWire}. */
export function fromErrorWire(wire: ErrorWire): SluiceError {
  return new SluiceError(wire.code, wire.message, {
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
    ...(wire.details === undefined ? {} : { details: wire.details }),
  });
}

/** Failures of disks, mounts and limits: nothing that Sluice did wrong. */
const SYSTEM_FAILURES: ReadonlySet<string> = new Set([
  'EBUSY',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENODEV',
  'ENOMEM',
  'ENXIO',
  'ESTALE',
  'ETIMEDOUT',
  'ETXTBSY',
]);

/** A {@link SluiceError} as it is; failures of the system and an abort get their codes; anything else is `ERR_INTERNAL`. */
export function asSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = errnoOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('ERR_DISK_FULL', `no space is left: ${describe(error)}`, {
      cause: error,
      hint: 'Free some space (`sluice gc` drops what nothing refers to) and run again; nothing was lost.',
    });
  }
  if (code === 'EROFS') {
    return new SluiceError('ERR_STORE_UNWRITABLE', `the file system is read-only: ${describe(error)}`, {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new SluiceError('ERR_FILE_UNREADABLE', `permission denied: ${describe(error)}`, {
      cause: error,
      hint: 'Check the permissions of the file and of the directory that holds it.',
    });
  }
  if (code !== undefined && SYSTEM_FAILURES.has(code)) {
    return new SluiceError('ERR_IO', `the operating system could not do it: ${describe(error)}`, {
      cause: error,
      hint: 'Check the disk, its mount and the limits of the system, then run again; nothing was lost.',
    });
  }
  if (error instanceof Error && (error.name === 'AbortError' || code === 'ABORT_ERR')) {
    return new SluiceError('ERR_INTERRUPTED', 'interrupted', { cause: error });
  }
  return new SluiceError('ERR_INTERNAL', describe(error), {
    cause: error,
    hint: 'This is a bug in Sluice; please report it with the output of the same command and SLUICE_TRACE=1.',
  });
}

/** The `code` of a Node system error (`ENOENT`, …), or `undefined` for anything else. */
export function errnoOf(error: unknown): string | undefined {
  // Not `instanceof Error`: an error of Node's own modules is of another realm where tests run.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a disk failed to read; its failing to write is another matter. */
export function isReadFailure(error: unknown): boolean {
  const isObject = typeof error === 'object' && error !== null;
  return errnoOf(error) === 'EIO' && isObject && 'syscall' in error && error.syscall === 'read';
}

/** Throws `ERR_INTERRUPTED` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SluiceError('ERR_INTERRUPTED', 'interrupted');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
