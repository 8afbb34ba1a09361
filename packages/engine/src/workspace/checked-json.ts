import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { digestOf } from '../model/digest.js';

/** Reads a cache file: a line with format and digest, then JSON. `undefined` when there is none, or when any byte of it is wrong. */
export function loadCheckedJson(file: string, format: string): unknown {
  try {
    const text = fs.readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    return text.slice(0, end) === `${format} ${digestOf(body)}` ? JSON.parse(body) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a cache file as a whole. A failure costs only time: the next reader finds everything out again. */
export function saveCheckedJson(file: string, format: string, body: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(temporary, `${format} ${digestOf(body)}\n${body}`, { flag: 'wx' });
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
