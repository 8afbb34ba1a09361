import { createHash } from 'node:crypto';

/** Bytes that look random and are the same in every run; another seed gives others. */
export function patternBytes(seed: string, sizeBytes: number): Uint8Array {
  const block = createHash('shake256', { outputLength: Math.min(sizeBytes, 1 << 20) })
    .update(seed)
    .digest();
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += block.length) bytes.set(block.subarray(0, sizeBytes - at), at);
  return bytes;
}
