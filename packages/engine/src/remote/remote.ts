import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import { type Area, type AreaOrder, areaOrder } from './areas.js';
import { Lookout, type LookoutTimes } from './gc/lookout.js';
import type { QuietNote } from './gc/quiet-note.js';
import { holdsRoot } from './holds-root.js';
import { FORMAT_KEY, placeOf } from './keys.js';
import { NO_SIGNATURES, type Signatures } from './signatures.js';
import { bodyOf, type FlushOptions, type Storage } from './storage/port.js';

/** How a remote is opened. */
export interface RemoteOptions {
  /** A driver with its wrappers. */
  readonly storage: Storage;
  /** The area of this writer, decided by the caller from event, ref and token. */
  readonly area: Area;
  /**
   * The file that says that this remote was in use before, if one does (`wasSeen`). If it then looks as if it had never been used, it is down: an
   * empty mount point is not an empty remote.
   */
  readonly seen?: string | undefined;
  /** Called when it turns out to be in use. */
  readonly onUsed?: () => void;
  /** Remembers that no collection was about to delete anything. */
  readonly quiet?: QuietNote;
  /** Those of the protocol if they are not given. */
  readonly times?: LookoutTimes;
  /** How what is sent is encoded; compressed where that pays if it is not said. */
  readonly encoding?: Encoding | undefined;
  /** None if they are not given. */
  readonly signatures?: Signatures | undefined;
  /** Is told why a claim does not count although its area does. */
  readonly onRefused?: ((problem: SluiceError) => void) | undefined;
}

/** How a writer encodes what it sends to a remote. Readers read everything. */
export interface Encoding {
  /** `auto`: what gets smaller is compressed, unless the line takes it faster than that; `always`: on any line. */
  readonly compression: 'auto' | 'always' | 'none';
  /** Large blobs are cut by their content, so that a new version sends what is new in it. */
  readonly chunking: boolean;
}

const USUAL_ENCODING: Encoding = { compression: 'auto', chunking: false };

/** A remote: a storage, and where in it this writer may look and write. Nothing is asked of it before the first call. */
export interface Remote {
  readonly description: string;
  /** What the have-index goes by: who asks for signatures keeps what he knows apart from what anybody said. */
  readonly haveName: string;
  readonly storage: Storage;
  readonly areas: AreaOrder;
  /** Knows what a collection is about to delete. */
  readonly lookout: Lookout;
  readonly encoding: Encoding;
  readonly signatures: Signatures;
  /** Tells why a claim does not count. */
  readonly refused: (problem: SluiceError) => void;
  /**
   * Asks once whether somebody answers and has a format that is known here; `empty` if the remote was never used.
   * Throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED` or `ERR_FORMAT_VERSION`.
   */
  contact(signal?: AbortSignal): Promise<'used' | 'empty'>;
  /** Makes an empty remote ready to be written. Throws like {@link Remote.contact}. */
  prepare(signal?: AbortSignal): Promise<void>;
  /** Lets others see what was written, where that is not so at once. Whoever has written all that belongs together calls it. */
  flush(options?: FlushOptions): Promise<void>;
}

const VERSION = 1;
const FORMAT_TEXT = `${JSON.stringify({ version: VERSION })}\n`;
const FORMAT_BYTES = 4096;

/** What one operation has found out about remotes that do not answer: each is asked and told of once. */
export interface Reach {
  /** Why a remote is not asked any more. */
  failure(remote: Remote): SluiceError | undefined;
  /** It has just failed to answer. */
  lost(remote: Remote, error: SluiceError): void;
  /** It answers, and nothing was ever put there: what is looked for may be somewhere else. */
  unused(remote: Remote): void;
}

/** Opens a remote. */
export function openRemote({
  storage,
  area,
  seen,
  onUsed = () => {},
  encoding = USUAL_ENCODING,
  quiet,
  times,
  signatures = NO_SIGNATURES,
  onRefused = () => {},
}: RemoteOptions): Remote {
  const lookout = new Lookout({ storage, quiet, times });
  let answer: Promise<'used' | 'empty'> | undefined;
  const contact = (signal?: AbortSignal): Promise<'used' | 'empty'> => {
    if (answer === undefined) {
      const asked = readFormat(storage, seen, signal);
      answer = asked;
      asked.then(
        (state) => state === 'used' && onUsed(),
        // A failure is not remembered: the next call may be luckier.
        () => {
          answer = undefined;
        },
      );
    }
    return answer;
  };
  return {
    description: storage.description,
    haveName: signatures.name === '' ? storage.description : `${storage.description} signed ${signatures.name}`,
    storage,
    areas: areaOrder(area),
    lookout,
    encoding,
    signatures,
    refused: onRefused,
    contact,
    prepare: async (signal) => {
      if ((await contact(signal)) === 'used') return;
      const stored = await storage.put(FORMAT_KEY, bodyOf(Buffer.from(FORMAT_TEXT)), { ifAbsent: true, signal });
      if (stored === 'stored') for (const proof of areaOrder(area).proof) lookout.isNew(proof);
      answer = Promise.resolve('used');
      onUsed();
    },
    flush: async (options) => storage.flush?.(options),
  };
}

/**
 * Whether everything that a root reaches is on the remote, for somebody who looks for it: one question per area, its own first, and more where the remote evicts. A map of a less
 * trusted area proves nothing; signatures are not asked for, since what comes is compared with its digest. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED` if that cannot be known.
 */
export async function isComplete(remote: Remote, root: Digest, signal?: AbortSignal): Promise<boolean> {
  if ((await remote.contact(signal)) === 'empty') return false;
  return (await areaThatHolds(remote, remote.areas.proof, root, signal)) !== undefined;
}

/** The first of the areas that has all of a root. Throws like {@link isComplete}. */
export function areaThatHolds(
  { storage }: Remote,
  areas: readonly Area[],
  root: Digest,
  signal: AbortSignal | undefined,
): Promise<Area | undefined> {
  return firstInAreas(areas, async (area) => ((await holdsRoot(storage, area, root, signal)) ? area : undefined));
}

/**
 * The first answer that is not `undefined`. An area that cannot be looked at matters only if no other has the answer: then its error is thrown,
 * for a failure to look is never a miss.
 */
export async function firstInAreas<T>(
  areas: readonly Area[],
  look: (area: Area) => Promise<T | undefined>,
): Promise<T | undefined> {
  let failure: { readonly error: unknown } | undefined;
  for (const area of areas) {
    try {
      const found = await look(area);
      if (found !== undefined) return found;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return undefined;
}

/** Whether an error says that nothing could be learnt. */
export function isUnreachable(error: unknown): error is SluiceError {
  return error instanceof SluiceError && (error.code === 'ERR_REMOTE_DOWN' || error.code === 'ERR_REMOTE_DENIED');
}

async function readFormat(
  storage: Storage,
  seen: string | undefined,
  signal: AbortSignal | undefined,
): Promise<'used' | 'empty'> {
  const bytes = await storage.get(FORMAT_KEY, { offset: 0, length: FORMAT_BYTES }, { signal });
  if (bytes === undefined) {
    if (seen === undefined) return 'empty';
    throw new SluiceError(
      'ERR_REMOTE_DOWN',
      `${storage.description} was in use before, and nothing marks it as used now: \`${FORMAT_KEY}\` is gone`,
      {
        hint: `Check its URL and, of a directory, that it is mounted. If that was deleted on purpose, delete ${seen} too: then the next push makes it again.`,
      },
    );
  }
  const version = versionOf(bytes);
  if (version === VERSION) return 'used';
  const text = bytes.toString('utf8', 0, 80).trim();
  if (version === undefined) {
    throw new SluiceError(
      'ERR_FORMAT_VERSION',
      `${placeOf(FORMAT_KEY, storage.description)} is damaged: it says ${JSON.stringify(text)}`,
      {
        hint: `Check the URL of the remote. If it is the right one and all else is there, write ${FORMAT_TEXT.trim()} to that object.`,
      },
    );
  }
  throw new SluiceError('ERR_FORMAT_VERSION', `${storage.description} has a format that is not known: ${text}`, {
    hint: 'Update Sluice in this workspace, or correct the URL of the remote.',
  });
}

function versionOf(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  } catch {
    return undefined;
  }
}
