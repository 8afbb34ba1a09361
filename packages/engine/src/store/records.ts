import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { type Digest, tryParseDigest } from '../model/digest.js';
import { parseRecord, parseRunTime, printRecord, type StageRecord, sameOuts } from '../model/record.js';
import { recordPath } from './layout.js';
import { listNames } from './lease.js';
import { addSmallFile, putSmallFile, readSmallFile, removeSmallFile } from './small-file.js';
import type { Store } from './store.js';

/** What came of writing a record. `same` and `different` compare the outs; either way the earlier record stays as it is. */
export type RecordWrite =
  | { readonly kind: 'written' }
  | { readonly kind: 'same' }
  | { readonly kind: 'different'; readonly existing: StageRecord };

/** A record of the store by the name of its file, or why it cannot be read. */
export type ListedRecord = { readonly fingerprint: Digest; readonly path: string } & (
  | { readonly kind: 'record'; readonly record: StageRecord }
  | { readonly kind: 'damaged'; readonly problem: SluiceError }
);

/** The record of a fingerprint. One that cannot be read counts as none; `onProblem` is told why. */
export function readRecord(
  store: Store,
  fingerprint: Digest,
  onProblem: (problem: SluiceError) => void = () => undefined,
): StageRecord | undefined {
  const found = lookUp(store, recordPath(store.layout, fingerprint), fingerprint);
  if (found?.kind === 'damaged') onProblem(found.problem);
  return found?.kind === 'record' ? found.record : undefined;
}

/** How long a recorded run took, in ms; 0 if nobody knows. The rest of the record is not looked at, since nothing is decided by this. */
export function readRunTime(store: Store, fingerprint: Digest): number {
  const text = readSmallFile(store, recordPath(store.layout, fingerprint));
  return text === undefined ? 0 : (parseRunTime(text) ?? 0);
}

/**
 * Writes a record once. Call it after the objects of its outs are published and before the session ends. Of several processes with the same
 * fingerprint one writes; a damaged record is replaced, and so is one that `isBelieved` says no of.
 */
export function writeRecord(
  store: Store,
  record: StageRecord,
  isBelieved: (earlier: StageRecord) => boolean = () => true,
): RecordWrite {
  const path = recordPath(store.layout, record.fingerprint);
  const text = printRecord(record);
  if (addSmallFile(store, path, text)) return { kind: 'written' };
  const earlier = lookUp(store, path, record.fingerprint);
  if (earlier?.kind === 'record' && isBelieved(earlier.record)) {
    return sameOuts(earlier.record, record) ? { kind: 'same' } : { kind: 'different', existing: earlier.record };
  }
  putSmallFile(store, path, text);
  return { kind: 'written' };
}

/** Every record, in no order. With `since`, files that were written before that time (ms) are not read: their records are older still. */
export function* listRecords(store: Store, since = 0): Generator<ListedRecord> {
  for (const { fingerprint, path } of recordFiles(store)) {
    if (since > 0) {
      const stat = store.files.statSync(path, { throwIfNoEntry: false });
      if (stat === undefined || stat.mtimeMs < since) continue;
    }
    const found = lookUp(store, path, fingerprint);
    // A record that vanished between listing and reading was removed by somebody who was entitled to.
    if (found !== undefined) yield found;
  }
}

/** How many records there are. Reads none. */
export function countRecords(store: Store): number {
  let count = 0;
  for (const _ of recordFiles(store)) count++;
  return count;
}

/** Deletes a record; returns whether there was one. */
export function removeRecord(store: Store, fingerprint: Digest): boolean {
  return removeSmallFile(store, recordPath(store.layout, fingerprint));
}

function* recordFiles(store: Store): Generator<{ fingerprint: Digest; path: string }> {
  for (const prefix of listNames(store.files, store.layout.records)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of listNames(store.files, join(store.layout.records, prefix))) {
      const fingerprint = tryParseDigest(`sha256:${prefix}${name.replace(/[.]json$/, '')}`);
      if (fingerprint === undefined || !name.endsWith('.json')) continue;
      yield { fingerprint, path: join(store.layout.records, prefix, name) };
    }
  }
}

function lookUp(store: Store, path: string, fingerprint: Digest): ListedRecord | undefined {
  const text = readSmallFile(store, path);
  if (text === undefined) return undefined;
  try {
    const record = parseRecord(text, path);
    if (record.fingerprint === fingerprint) return { fingerprint, path, kind: 'record', record };
    return { fingerprint, path, kind: 'damaged', problem: wrongName(path) };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { fingerprint, path, kind: 'damaged', problem: error };
  }
}

function wrongName(path: string): SluiceError {
  return new SluiceError('ERR_RECORD_INVALID', `record ${path} is that of another fingerprint`, {
    hint: 'A damaged record is never used; `sluice verify --repair` sets it aside.',
  });
}
