import { SluiceError } from '../../errors.js';

/** What an archive may unpack to. */
export interface ArchiveLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Bytes that come out for each byte of the archive; more is taken for a bomb. */
  readonly ratio: number;
}

/** Ten times what one finds in large collections of images; the ratio is that of text that says the same over and over. */
export const ARCHIVE_LIMITS: ArchiveLimits = { entries: 1_000_000, bytes: 64 * 1024 ** 3, ratio: 200 };

/** Below this a high ratio harms nobody: a table of zeros is no bomb. */
const HARMLESS_BYTES = 64 * 1024 ** 2;

/** What the directory of an archive says about one entry. */
export interface DeclaredSize {
  readonly name: string;
  /** Where it begins in the archive. */
  readonly at: number;
  /** Bytes that it takes there at least, with its header. */
  readonly length: number;
  readonly bytes: number;
}

/**
 * Checks what the directory of an archive declares: its sizes against the limits (`ERR_ARCHIVE_TOO_LARGE`), and that no two entries share bytes of
 * the archive, by which a small one can hold any number of large files (`ERR_ARCHIVE_UNSAFE`). Returns the sum of all bytes.
 */
export function checkDeclaredSizes(
  entries: readonly DeclaredSize[],
  archiveBytes: number,
  limits: ArchiveLimits,
): number {
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  checkTotals(entries.length, total, archiveBytes, limits);
  const byPlace = [...entries].sort((a, b) => a.at - b.at);
  for (const [index, { name, at, length }] of byPlace.entries()) {
    const next = byPlace[index + 1];
    if ((next?.at ?? archiveBytes) >= at + length) continue;
    const other = next === undefined ? 'its end' : JSON.stringify(next.name);
    throw new SluiceError('ERR_ARCHIVE_UNSAFE', `${JSON.stringify(name)} and ${other} overlap in the archive`, {
      hint: 'Nothing was unpacked: an archive that was made honestly has no such entries.',
    });
  }
  return total;
}

/** Throws `ERR_ARCHIVE_TOO_LARGE` if so many entries, or so many bytes from an archive of that size, pass the limits. */
export function checkTotals(entries: number, bytes: number, archiveBytes: number, limits: ArchiveLimits): void {
  if (entries > limits.entries) throw tooLarge(`holds more than ${limits.entries} entries`);
  if (bytes > limits.bytes) throw tooLarge(`unpacks to ${bytes} bytes; the limit is ${limits.bytes}`);
  if (bytes > HARMLESS_BYTES && bytes > archiveBytes * limits.ratio) {
    throw tooLarge(`unpacks to ${Math.round(bytes / archiveBytes)} times its size; the limit is ${limits.ratio}`);
  }
}

function tooLarge(problem: string): SluiceError {
  return new SluiceError('ERR_ARCHIVE_TOO_LARGE', `the archive ${problem}`, {
    hint: 'Nothing was unpacked. If you trust the archive, unpack it with another tool and track what comes out.',
  });
}
