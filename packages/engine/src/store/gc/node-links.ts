import { SluiceError } from '../../errors.js';
import { ByteReader } from '../../model/bytes.js';
import { RAW_DIGEST_BYTES } from '../../model/digest.js';
import { EXECUTABLE, FILE, LINK, PART, SPLIT, TREE, WHOLE } from '../../model/tree.js';

/** What a node names: a digest for each entry, and which of them are nodes. */
export interface NodeLinks {
  readonly bytes: Buffer;
  /** Where each digest begins in {@link NodeLinks.bytes}. */
  readonly digestAt: Uint32Array;
  /** 1 for a subtree or a part, 0 for a blob. */
  readonly isNode: Uint8Array;
}

const HEAD = 'SLT1';

/**
 * Reads only the digests of a node (`docs/format.md`, "Tree nodes"). A collection looks at every tree of the store in each run; decoding all names
 * would be most of its time, and the bytes have just been checked against their digest. Takes ownership of `bytes`.
 * Throws `ERR_TREE_INVALID` for anything that is not a node.
 */
export function readLinks(bytes: Buffer, what: string): NodeLinks {
  const reader = new ByteReader(bytes, (problem) => {
    throw new SluiceError('ERR_TREE_INVALID', `tree ${what} is damaged: ${problem}`);
  });
  if (bytes.toString('latin1', 0, HEAD.length) !== HEAD) reader.fail('it does not begin like a tree');
  reader.offset = HEAD.length;
  const shape = reader.u8();
  if (shape !== WHOLE && shape !== SPLIT && shape !== PART) reader.fail('its shape is not known');
  reader.varint();
  reader.varint();
  const count = reader.varint();
  if (count * (RAW_DIGEST_BYTES + 4) > reader.left) reader.fail('it names more entries than it holds');
  const digestAt = new Uint32Array(count);
  const isNode = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const kind = shape === SPLIT ? TREE : reader.u8();
    if (kind !== FILE && kind !== EXECUTABLE && kind !== LINK && kind !== TREE)
      reader.fail('a kind of entry is not known');
    const nameBytes = reader.varint();
    reader.offset += nameBytes;
    // Entries of a part; bytes; files below.
    if (shape === SPLIT) reader.varint();
    reader.varint();
    if (kind === TREE) reader.varint();
    digestAt[i] = reader.offset;
    isNode[i] = kind === TREE ? 1 : 0;
    reader.offset += RAW_DIGEST_BYTES;
    if (reader.left < 0) reader.fail('it is cut off');
  }
  if (reader.left !== 0) reader.fail('bytes follow its last entry');
  return { bytes, digestAt, isNode };
}
