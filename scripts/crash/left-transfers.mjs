// @ts-check
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1024 * 1024;

/** Parts that a killed push has noted as being there, as `uploadId partNumber`. @param {string} root @returns {Set<string>} */
export function notedParts(root) {
  const noted = new Set();
  for (const path of transfers(root, 'up.')) {
    const [head = '', ...lines] = readFileSync(path, 'utf8').split('\n');
    const id = parse(head)?.id;
    for (const line of lines) {
      const number = parse(line)?.number;
      if (id !== undefined && number !== undefined) noted.add(`${id} ${number}`);
    }
  }
  return noted;
}

/** Offsets of the MiB of a large file that a killed pull has left, compared with the file itself. @param {string} root @param {string} original @returns {Set<number>} */
export function keptSlices(root, original) {
  const kept = new Set();
  const wanted = readFileSync(original);
  for (const path of transfers(root, 'down.')) {
    const fd = openSync(path, 'r');
    const slice = Buffer.alloc(MIB);
    for (let offset = 0; offset < wanted.length; offset += MIB) {
      const length = readSync(fd, slice, 0, Math.min(MIB, wanted.length - offset), offset);
      const is = slice.subarray(0, length);
      if (is.equals(wanted.subarray(offset, offset + MIB))) kept.add(offset);
    }
    closeSync(fd);
  }
  return kept;
}

/** @param {string} root @param {string} kind */
function transfers(root, kind) {
  const folder = join(root, '.sluice/transfers');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.startsWith(kind)).map((name) => join(folder, name));
}

/** A line that the kill has torn counts as none. @param {string} line */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
