import { rawDigestOf } from './digest.js';
import {
  BASES_VERSION,
  BODY_SUM_BEFORE,
  FRONT_SUM_BEFORE,
  headerBytesOf,
  LARGEST_MAP_HEADER_BYTES,
  parseMapHeader,
  SIGNED_VERSION,
} from './map.js';

/** Where the number of chunks begins in a header that has it; that of bases follows. */
const COUNTS_END = 92;

/**
 * The bytes of a map with the signature that `sign` gives for its header; another one is replaced. The header holds the checksums of all the rest. Throws `ERR_MAP_INVALID` or
 * `ERR_FORMAT_VERSION`.
 */
export function withSignature(map: Buffer, where: string, sign: (bytes: Buffer) => Buffer): Buffer {
  const { headerBytes, sumsEnd, frontBytes, chunks, bases } = parseMapHeader(map, where);
  const header = Buffer.alloc(LARGEST_MAP_HEADER_BYTES);
  map.copy(header, 0, 0, COUNTS_END);
  header[4] = SIGNED_VERSION;
  header.writeUInt32LE(chunks, COUNTS_END);
  header.writeUInt32LE(bases, COUNTS_END + 4);
  const end = headerBytesOf(BASES_VERSION);
  map.copy(header, end - BODY_SUM_BEFORE, sumsEnd - BODY_SUM_BEFORE, sumsEnd - FRONT_SUM_BEFORE);
  const front = [header.subarray(0, end - FRONT_SUM_BEFORE), map.subarray(headerBytes, frontBytes)];
  rawDigestOf(Buffer.concat(front)).copy(header, end - FRONT_SUM_BEFORE);
  sign(header.subarray(0, end)).copy(header, end);
  return Buffer.concat([header, map.subarray(headerBytes)]);
}
