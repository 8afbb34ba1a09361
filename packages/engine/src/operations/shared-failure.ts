import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS, type ErrorCode, errnoOf, SluiceError } from '../errors.js';

/** After this long a remote is asked again. */
const VALID_MS = 60_000;

/** What another process of the same run has lately found out about a remote, by its description. */
export function sharedFailure(runDir: string | undefined, description: string): SluiceError | undefined {
  if (runDir === undefined) return undefined;
  const path = failurePath(runDir, description);
  try {
    if (Date.now() - statSync(path).mtimeMs > VALID_MS) return undefined;
    return parseFailure(readFileSync(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Tells the other processes of a run. Returns whether this one is the first that has found it out, and has to tell people too. */
export function shareFailure(runDir: string | undefined, description: string, failure: SluiceError): boolean {
  if (runDir === undefined) return true;
  const path = failurePath(runDir, description);
  const { code, message, hint } = failure;
  try {
    mkdirSync(runDir, { recursive: true });
    writeFileSync(path, JSON.stringify({ code, message, hint }), { flag: 'wx' });
  } catch {
    return !renew(path);
  }
  return true;
}

/** Whether somebody has told before; it holds from now on again. */
function renew(path: string): boolean {
  try {
    utimesSync(path, new Date(), new Date());
    return true;
  } catch {
    return false;
  }
}

function failurePath(runDir: string, description: string): string {
  return join(runDir, `down-${createHash('sha256').update(description).digest('hex').slice(0, 16)}.json`);
}

/** A file that is being written says nothing yet. */
function parseFailure(text: string): SluiceError | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return undefined;
    const { code, message } = value;
    const hint = 'hint' in value && typeof value.hint === 'string' ? { hint: value.hint } : {};
    return isCode(code) && typeof message === 'string' ? new SluiceError(code, message, hint) : undefined;
  } catch {
    return undefined;
  }
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}
