import { SluiceError } from '../../errors.js';
import { rawOf } from '../../model/digest.js';
import { decodeMap } from '../../model/map.js';
import {
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  packTailBytes,
  parsePackHeader,
  parsePackTail,
} from '../../model/pack.js';
import { parseRecord, printRecord } from '../../model/record.js';
import { type Area, areaOrder } from '../areas.js';
import { condemnedKey, FORMAT_KEY, parseKey } from '../keys.js';
import { NO_SIGNATURES, type Signatures } from '../signatures.js';
import { type Body, bodyOf, type StorageKey } from '../storage/port.js';
import type { Spooled } from './spool.js';

/** Packs, maps and records are read into memory to be checked. */
const MOST_CHECKED_BYTES = 256 * 1024 * 1024;
const MOST_FORMAT_BYTES = 4096;

/** What a broker lets through. Each throws where it does not. */
export interface Guard {
  read(key: StorageKey): void;
  /** Before anything is taken. */
  write(key: StorageKey): void;
  /** When all of it has come: what is to be kept, which is the same but for a signature. */
  body(key: StorageKey, body: Spooled): Promise<Body>;
  /** What is there is never replaced, whatever is asked. */
  readonly writeOnce: boolean;
}

/**
 * Lets a run read what its area may read and write what its area may write, if it may write at all, and only bodies that are what their keys say. Records and maps are signed
 * where there is a key. Throws `ERR_REMOTE_DENIED`, `ERR_REMOTE_READ_ONLY`, and what a body that is damaged throws.
 */
export function guardArea(own: Area, mayWrite: boolean, signatures: Signatures = NO_SIGNATURES): Guard {
  return {
    writeOnce: true,
    read: (key) => allowRead(key, own),
    write: (key) => {
      if (mayWrite) return allowWrite(key, own);
      throw new SluiceError('ERR_REMOTE_READ_ONLY', `this run may not write, so ${key} was not written`, {
        hint: 'Pushing is up to the step: see its input "push".',
      });
    },
    body: (key, body) => checkBody(key, body, signatures),
  };
}

/** Throws `ERR_REMOTE_DENIED` unless who works in `own` may read the key. */
function allowRead(key: StorageKey, own: Area): void {
  if (key === FORMAT_KEY) return;
  const { proof, records, bytes } = areaOrder(own);
  const data = [...new Set([...proof, ...bytes])];
  // Who relies on objects has to know what a collection is about to delete.
  if (data.some((area) => key === condemnedKey(area))) return;
  const named = parseKey(key);
  if (named !== undefined && (named.kind === 'records' ? records : data).includes(named.area)) return;
  throw denied(`${key} cannot be read from ${own}`);
}

/** Throws `ERR_REMOTE_DENIED` unless who works in `own` may write the key. */
function allowWrite(key: StorageKey, own: Area): void {
  if (key !== FORMAT_KEY && parseKey(key)?.area !== own) throw denied(`${key} cannot be written from ${own}`);
}

/** Checks that a body is what its key says. Throws `ERR_REMOTE_DENIED` or what reading it throws. */
async function checkBody(key: StorageKey, body: Spooled, signatures: Signatures): Promise<Body> {
  const named = parseKey(key);
  if (named === undefined) {
    if (body.bytes > MOST_FORMAT_BYTES) throw denied(`${key} is too large`);
    return body;
  }
  const { area, kind, raw } = named;
  if (kind === 'blobs') {
    if (body.sha256 !== raw.toString('hex')) throw denied(`${key} does not have its digest`);
    return body;
  }
  if (body.bytes > MOST_CHECKED_BYTES) throw denied(`${key} is too large`);
  const bytes = await body.read();
  if (kind === 'records') {
    const record = parseRecord(bytes.toString('utf8'), key);
    if (!rawOf(record.fingerprint).equals(raw) || record.area !== area)
      throw denied(`${key} is a record of another name or area`);
    return signatures.canSign ? bodyOf(Buffer.from(printRecord(signatures.signRecord(record)))) : body;
  }
  if (kind === 'maps') {
    if (!decodeMap(bytes, key).front.header.root.equals(raw)) throw denied(`${key} is a map of another root`);
    return signatures.canSign ? bodyOf(signatures.signMap(bytes, area)) : body;
  }
  parsePackHeader(bytes.subarray(0, PACK_HEADER_BYTES), key);
  const tail = packTailBytes(bytes.subarray(-PACK_TRAILER_BYTES), bytes.length, key);
  parsePackTail(bytes.subarray(bytes.length - tail), bytes.length, key);
  return body;
}

function denied(message: string): SluiceError {
  return new SluiceError('ERR_REMOTE_DENIED', `the broker refuses: ${message}`, {
    hint: 'A run reads its own and more trusted areas, and writes in its own.',
  });
}
