import { ByteReader, varintLength, writeVarint } from './bytes.js';
import { RAW_DIGEST_BYTES } from './digest.js';
import { compareUtf8 } from './path.js';
import { entryStarts, MAX_NODE_BYTES, type TreeNode } from './tree.js';

/** A node and its bytes. */
export interface NodeBytes {
  readonly bytes: Buffer;
  readonly node: TreeNode;
}

/** Bytes of the new node that are given, then a run of the base's. */
interface Step {
  readonly from: number;
  readonly to: number;
  copyFrom: number;
  copyLength: number;
}

/** What is new in a node, after the 32 bytes of its base's digest: `docs/format.md`, "Packs". Entries that both have cost nothing. */
export function makePatch(baseRaw: Buffer, base: NodeBytes, changed: NodeBytes): Buffer {
  const steps = stepsOf(base, changed);
  let length = RAW_DIGEST_BYTES;
  for (const { from, to, copyFrom, copyLength } of steps) {
    length += varintLength(to - from) + to - from + varintLength(copyFrom) + varintLength(copyLength);
  }
  const patch = Buffer.alloc(length);
  baseRaw.copy(patch, 0, 0, RAW_DIGEST_BYTES);
  let at = RAW_DIGEST_BYTES;
  for (const { from, to, copyFrom, copyLength } of steps) {
    at = writeVarint(patch, to - from, at);
    at += changed.bytes.copy(patch, at, from, to);
    at = writeVarint(patch, copyFrom, at);
    at = writeVarint(patch, copyLength, at);
  }
  return patch;
}

/** The bytes of a node from its base and what is new in it; `undefined` if they do not fit. The caller compares the digest. */
export function applyPatch(patch: Buffer, baseRaw: Buffer, base: Buffer, full: number): Buffer | undefined {
  if (full > MAX_NODE_BYTES || !patch.subarray(0, RAW_DIGEST_BYTES).equals(baseRaw)) return undefined;
  const bytes = Buffer.alloc(full);
  let fill = 0;
  try {
    const reader = new ByteReader(patch.subarray(RAW_DIGEST_BYTES), (problem) => {
      throw new Misfit(problem);
    });
    const put = (source: Buffer): void => {
      if (source.length > full - fill) reader.fail('it is too long');
      fill += source.copy(bytes, fill);
    };
    while (reader.left > 0) {
      put(reader.take(reader.varint()));
      const from = reader.varint();
      const length = reader.varint();
      if (from + length > base.length) reader.fail('its base is too short');
      put(base.subarray(from, from + length));
    }
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return undefined;
  }
  return fill === full ? bytes : undefined;
}

class Misfit extends Error {}

function stepsOf(base: NodeBytes, changed: NodeBytes): Step[] {
  const [before, after] = [entryStarts(base.node, base.bytes.length), entryStarts(changed.node, changed.bytes.length)];
  const steps: Step[] = [];
  let done = 0;
  for (const [entry, old] of pairs(base.node, changed.node)) {
    const [from = 0, to = 0] = after.subarray(entry, entry + 2);
    const [oldFrom = 0, oldTo = 0] = before.subarray(old, old + 2);
    if (!changed.bytes.subarray(from, to).equals(base.bytes.subarray(oldFrom, oldTo))) continue;
    const last = steps.at(-1);
    if (last !== undefined && done === from && last.copyFrom + last.copyLength === oldFrom)
      last.copyLength += to - from;
    else steps.push({ from: done, to: from, copyFrom: oldFrom, copyLength: to - from });
    done = to;
  }
  if (done < changed.bytes.length) steps.push({ from: done, to: changed.bytes.length, copyFrom: 0, copyLength: 0 });
  return steps;
}

/** Entries of one node, with those of another that have the same names. */
function* pairs(before: TreeNode, after: TreeNode): Generator<readonly [entry: number, old: number]> {
  let old = 0;
  for (const [entry, name] of after.names.entries()) {
    let order = -1;
    for (; old < before.names.length; old++) {
      order = compareUtf8(before.names[old] ?? '', name);
      if (order >= 0) break;
    }
    if (order === 0) yield [entry, old];
  }
}
