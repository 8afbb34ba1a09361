import type fs from 'node:fs';

/*
 * One call of the system may write or read less than it was asked to. `files` is `node:fs`, or what stands for it where calls are made to fail.
 */

/**
 * Writes all of `bytes` at `position`, or without one where the file stands: at its end if it was opened to append. Throws the system error; some of the
 * bytes may be written by then.
 */
export function writeWhole(
  files: Pick<typeof fs, 'writeSync'>,
  fd: number,
  bytes: Uint8Array,
  position: number | null = null,
): void {
  for (let at = 0; at < bytes.length; ) {
    at += files.writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
  }
}

/** Fills `bytes` from `position` on, or without one from where the file stands. Returns how many there were: fewer only where the file ends. Throws the system error. */
export function readWhole(
  files: Pick<typeof fs, 'readSync'>,
  fd: number,
  bytes: Uint8Array,
  position: number | null = null,
): number {
  let at = 0;
  while (at < bytes.length) {
    const read = files.readSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
    if (read === 0) break;
    at += read;
  }
  return at;
}
