import { createHash } from 'node:crypto';
import type { Store } from '../store/store.js';
import { abandonedTransfers, type Claim, claimTransfer, STALE_TRANSFER_MS } from '../store/transfers.js';
import { quietly, writeNote } from './note-files.js';
import type { KeptPart, PartJournal, PartsLeft, Storage, StorageKey } from './storage/port.js';
import { tryParseStorageKey } from './storage/port.js';

/*
 * Notes on a large object that goes in parts, so that whoever pushes it next sends only what is missing: `docs/format.md`, "Transfers". They only save
 * bytes: what is damaged or cannot be written is forgotten without a word, and the place itself refuses parts that it does not have.
 */

/** A journal of one put. */
export interface UploadJournal extends PartJournal {
  /** Leaves the notes to the next push if the put did not end. */
  close(): void;
}

const LARGEST_JOURNAL_BYTES = 4 * 1024 * 1024;
const LONGEST_WORD = 2048;
const MOST_PARTS = 10_000;

/** Opens the notes on an object of a remote, with what a process that died has left. `bytes`: of the object as it is sent. */
export function openUploadJournal(store: Store, remote: string, key: StorageKey, bytes: number): UploadJournal {
  const claim = quietly(() => claimTransfer(store, 'up', idOf(remote, key)));
  const noted = claim?.isLeft === true ? readJournal(store, claim.path) : undefined;
  const isOurs = noted?.remote === remote && noted.key === key && noted.bytes === bytes;
  return {
    left: isOurs ? noted : undefined,
    began: (id, partBytes) => {
      claim?.drop();
      append(store, claim, JSON.stringify({ version: 1, remote, key, bytes, id, partBytes }));
    },
    // The line feed comes first: it also ends a line that the death of a process has torn.
    kept: ({ number, tag, sha256 }) => append(store, claim, `\n${JSON.stringify({ number, tag, sha256 })}`),
    ended: () => void quietly(() => claim?.drop()),
    close: () => void quietly(() => claim?.release()),
  };
}

/** Deletes the parts of uploads to this remote with which nobody has gone on for a week, and the notes on them. Throws what the remote throws. */
export async function dropStaleUploads(store: Store, storage: Storage, signal: AbortSignal | undefined): Promise<void> {
  if (storage.deleteParts === undefined) return;
  for (const { kind, path, ageMs } of quietly(() => abandonedTransfers(store)) ?? []) {
    if (kind !== 'up' || ageMs < STALE_TRANSFER_MS) continue;
    const noted = readJournal(store, path);
    if (noted?.remote !== storage.description) continue;
    await storage.deleteParts(noted.key, noted.id, { signal });
    quietly(() => store.files.rmSync(path, { force: true }));
  }
}

interface Noted extends PartsLeft {
  readonly remote: string;
  readonly key: StorageKey;
  readonly bytes: number;
}

function idOf(remote: string, key: StorageKey): string {
  return createHash('sha256').update(`${remote}\n${key}`).digest('hex');
}

function append(store: Store, claim: Claim | undefined, line: string): void {
  if (claim === undefined) return;
  quietly(() => writeNote(store, claim.path, 'a', Buffer.from(line)));
}

function readJournal(store: Store, path: string): Noted | undefined {
  const text = quietly(() => {
    const bytes = store.files.statSync(path).size;
    return bytes > LARGEST_JOURNAL_BYTES ? '' : store.files.readFileSync(path, 'utf8');
  });
  const [first = '', ...rest] = (text ?? '').split('\n');
  const head = parseLine(first);
  const key = typeof head?.key === 'string' ? tryParseStorageKey(head.key) : undefined;
  if (head?.version !== 1 || key === undefined || !isCount(head.bytes) || !isCount(head.partBytes)) return undefined;
  if (!isWord(head.id) || typeof head.remote !== 'string') return undefined;
  const parts = new Map<number, KeptPart>();
  for (const line of rest) {
    const { number, tag, sha256 } = parseLine(line) ?? {};
    if (!isCount(number) || number > MOST_PARTS || !isWord(tag) || !isWord(sha256)) continue;
    parts.set(number, { number, tag, sha256 });
  }
  return { remote: head.remote, key, bytes: head.bytes, id: head.id, partBytes: head.partBytes, parts };
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_WORD;
}
