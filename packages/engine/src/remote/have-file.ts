import { createHash, randomBytes } from 'node:crypto';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import type { Store } from '../store/store.js';
import { type Area, areaNumber, parseArea } from './areas.js';
import { notePath, quietly, readNote, writeNote } from './note-files.js';

/*
 * What this store knows to be on a remote, as a file: `docs/format.md`, "Have-index". It only saves time: a part that is damaged or cannot be
 * written is forgotten without a word, since the remote is asked again before anything relies on it.
 */

/** Kinds of records. */
export const HAVE_PACK = 0;
export const HAVE_MAP = 1;
export const HAVE_BLOB = 2;
export const HAVE_CUTS = 3;
export const HAVE_PATCHES = 4;

/** One record. */
export interface HaveRecord {
  readonly kind: number;
  readonly area: Area;
  readonly payload: Buffer;
}

const HEADER = Buffer.from('SLHV\x01\0\0\0', 'latin1');
const RECORD_HEADER_BYTES = 44;

/** The file that says that this store has been in touch with the remote, so that this is no empty one; `undefined` if it never has. */
export function wasSeen(store: Store, description: string): string | undefined {
  const path = havePath(store, description);
  return store.files.statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : path;
}

/** Notes that the remote answered and was in use. */
export function markSeen(store: Store, description: string): void {
  if (wasSeen(store, description) === undefined) appendHave(store, description, []);
}

/** Reads all records up to the first damaged one. */
export function readHave(store: Store, description: string): HaveRecord[] {
  const bytes = readNote(store, havePath(store, description));
  if (bytes === undefined || !bytes.subarray(0, HEADER.length).equals(HEADER)) return [];
  const records: HaveRecord[] = [];
  for (let at = HEADER.length; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8);
    const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end);
    const area = areaFrom(bytes.readUInt8(at + 1), bytes.readUInt32LE(at + 4));
    const sound =
      end <= bytes.length && area !== undefined && checksum(payload).equals(bytes.subarray(at + 12, at + 44));
    if (!sound) {
      // What follows would never be read again, so the sound part takes the place of the whole.
      rewriteHave(store, description, records);
      break;
    }
    records.push({ kind: bytes.readUInt8(at), area, payload });
    at = end;
  }
  return records;
}

/** Adds records at the end, in one write, so that several pushers do not mix theirs. */
export function appendHave(store: Store, description: string, records: readonly HaveRecord[]): void {
  if (records.length === 0 && wasSeen(store, description)) return;
  const path = havePath(store, description);
  quietly(() => {
    store.files.mkdirSync(store.layout.index, { recursive: true });
    const encoded = records.flatMap(encodeRecord);
    const isNew = (store.files.statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
    writeNote(store, path, 'a', Buffer.concat(isNew ? [HEADER, ...encoded] : encoded));
  });
}

/** Replaces the file: when something that it names is gone. What another process adds at the same moment may be lost with it. */
export function rewriteHave(store: Store, description: string, records: readonly HaveRecord[]): void {
  const path = havePath(store, description);
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  quietly(() => {
    try {
      writeNote(store, temporary, 'wx', Buffer.concat([HEADER, ...records.flatMap(encodeRecord)]));
      store.files.renameSync(temporary, path);
    } finally {
      store.files.rmSync(temporary, { force: true });
    }
  });
}

function havePath(store: Store, description: string): string {
  return notePath(store, 'have', description);
}

function encodeRecord({ kind, area, payload }: HaveRecord): Buffer[] {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header[0] = kind;
  header[1] = areaNumber(area);
  if (area.startsWith('pr/')) header.writeUInt32LE(Number(area.slice(3)), 4);
  header.writeUInt32LE(payload.length, 8);
  checksum(payload).copy(header, 12);
  return [header, payload];
}

function areaFrom(number: number, pullRequest: number): Area | undefined {
  if (number === 2) return pullRequest > 0 ? parseArea(`pr/${pullRequest}`) : undefined;
  return number === 0 ? 'trusted' : number === 1 ? 'shared' : undefined;
}

function checksum(payload: Buffer): Buffer {
  return createHash('sha256').update(payload).digest().subarray(0, RAW_DIGEST_BYTES);
}
