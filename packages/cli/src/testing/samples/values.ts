import type { GcExplanation, LogReport } from '@sluice/engine';

/** A digest of one repeated byte. */
export function sampleDigest(byte: string): GcExplanation['digest'] {
  return `sha256:${byte.repeat(32)}` as GcExplanation['digest'];
}

/** The full name of a commit of one repeated byte, in the type of reports. */
export function sampleCommit(byte: string): LogReport['commits'][number]['commit'] {
  return byte.repeat(20) as LogReport['commits'][number]['commit'];
}

/** Who made the commits of samples. */
export const author = { name: 'Ada', email: 'ada@example.com' };
