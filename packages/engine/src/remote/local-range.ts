import { SluiceError } from '../errors.js';
import { digestFromRaw, shortDigest } from '../model/digest.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import { readWhole } from '../util/whole-io.js';

/** A large blob of the store, opened to be read in parts. */
export interface LocalRanges {
  /** A part of the blob, in a buffer of its own. Throws `ERR_OBJECT_DAMAGED` where the blob has become shorter. The caller compares the bytes. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

/** Opens a large blob. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
export function openLocalRanges(store: Store, reader: ObjectReader, raw: Buffer): LocalRanges {
  const path = reader.linkable(raw)?.path;
  if (path === undefined) {
    const whole = Buffer.from(reader.read('blob', raw));
    return {
      read: (offset, length) => expectLength(whole.subarray(offset, offset + length), length, raw),
      close: () => {},
    };
  }
  const fd = store.files.openSync(path, 'r');
  return {
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      return expectLength(bytes.subarray(0, readWhole(store.files, fd, bytes, offset)), length, raw);
    },
    close: () => store.files.closeSync(fd),
  };
}

function expectLength(bytes: Buffer, length: number, raw: Buffer): Buffer {
  if (bytes.length === length) return bytes;
  throw damagedLocally(raw);
}

/** The error for a large blob whose bytes in the store are not its own. */
export function damagedLocally(raw: Buffer): SluiceError {
  const digest = digestFromRaw(raw);
  return new SluiceError(
    'ERR_OBJECT_DAMAGED',
    `blob ${shortDigest(digest)} is damaged in the store; it was not pushed`,
    {
      hint: 'Run `sluice verify --deep --repair`, or run the stage that makes it again.',
      details: { digest },
    },
  );
}
