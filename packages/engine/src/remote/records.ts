import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { RelPath } from '../model/path.js';
import { parseRecord, printRecord, type StageRecord, sameOuts } from '../model/record.js';
import type { Area } from './areas.js';
import { placeOf, recordKey } from './keys.js';
import { areaThatHolds, firstInAreas, type Remote } from './remote.js';
import { bodyOf } from './storage/port.js';

/** A record that was found, and where. */
export interface FoundRecord {
  readonly record: StageRecord;
  readonly area: Area;
  /** Outs of the record whose bytes the remote no longer has or never had; with any of them the record alone restores nothing. */
  readonly missing: readonly RelPath[];
}

/** What {@link writeRecord} did. `different`: another result was recorded first and stays. `replaced`: the first one's data was gone. */
export type WriteRecordResult =
  | { readonly kind: 'written' | 'same' | 'replaced' }
  | { readonly kind: 'different'; readonly existing: StageRecord };

/** Records are small; one that is not was not written by us. */
export const LARGEST_RECORD_BYTES: number = 16 * 1024 * 1024;

/**
 * The record of a fingerprint from the areas that are believed: the first whose outs are all on the remote, else the first. One that is damaged, lies or is not signed although it
 * has to be counts as none, and the remote tells why; one of a newer Sluice counts as none too. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED` if that cannot be known.
 */
export async function readRecord(
  remote: Remote,
  fingerprint: Digest,
  signal?: AbortSignal,
): Promise<FoundRecord | undefined> {
  if ((await remote.contact(signal)) === 'empty') return undefined;
  let second: FoundRecord | undefined;
  const first = await firstInAreas(remote.areas.records, async (area) => {
    const read = await readFrom(remote, area, fingerprint, signal);
    if (read.kind === 'newer') remote.refused(read.error);
    if (read.kind !== 'record') return undefined;
    const found = { record: read.record, area, missing: await missingOuts(remote, read.record, signal) };
    if (found.missing.length === 0) return found;
    second ??= found;
    return undefined;
  });
  return first ?? second;
}

/**
 * Writes a record into the writer's own area, once. Call it when the roots that it names are complete on the remote, never before.
 * Throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED` or `ERR_REMOTE_READ_ONLY`.
 */
export async function writeRecord(
  remote: Remote,
  record: StageRecord,
  signal?: AbortSignal,
): Promise<WriteRecordResult> {
  await remote.prepare(signal);
  const key = recordKey(remote.areas.own, record.fingerprint);
  const body = bodyOf(Buffer.from(printRecord(remote.signatures.signRecord(record))));
  if (await remote.lookout.isCondemned(remote.areas.own, key, signal)) {
    const put = async (): Promise<boolean> => (await remote.storage.put(key, body, { signal })) === 'stored';
    await remote.lookout.renew(remote.areas.own, key, put, signal);
    return { kind: 'replaced' };
  }
  if ((await remote.storage.put(key, body, { ifAbsent: true, signal })) === 'stored') return { kind: 'written' };
  const read = await readFrom(remote, remote.areas.own, record.fingerprint, signal);
  if (read.kind === 'newer') throw read.error;
  if (read.kind === 'record') {
    if (sameOuts(read.record, record)) return { kind: 'same' };
    const missing = await missingOuts(remote, read.record, signal);
    if (missing.length === 0) return { kind: 'different', existing: read.record };
  }
  // What nobody may believe, and what restores nothing, is in the way.
  await remote.storage.put(key, body, { signal });
  return { kind: 'replaced' };
}

type Read =
  | { readonly kind: 'record'; readonly record: StageRecord }
  | { readonly kind: 'none' | 'refused' }
  | { readonly kind: 'newer'; readonly error: SluiceError };

async function readFrom(
  remote: Remote,
  area: Area,
  fingerprint: Digest,
  signal: AbortSignal | undefined,
): Promise<Read> {
  const key = recordKey(area, fingerprint);
  const bytes = await remote.storage.get(key, { offset: 0, length: LARGEST_RECORD_BYTES }, { signal });
  if (bytes === undefined) return { kind: 'none' };
  try {
    return { kind: 'record', record: judgeRecord(bytes, area, fingerprint, remote) };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (error.code === 'ERR_FORMAT_VERSION') return { kind: 'newer', error };
    remote.refused(error);
    return { kind: 'refused' };
  }
}

/** Reads a record that came from the key of an area and a fingerprint. Throws `ERR_RECORD_INVALID`, `ERR_SIGNATURE` or `ERR_FORMAT_VERSION` if it is not to be believed. */
export function judgeRecord(
  bytes: Buffer,
  area: Area,
  fingerprint: Digest,
  { description, signatures }: Pick<Remote, 'description' | 'signatures'>,
): StageRecord {
  const where = placeOf(recordKey(area, fingerprint), description);
  const record = parseRecord(bytes.toString('utf8'), where);
  // A record under a foreign name, or that claims a foreign area, is a lie.
  if (record.fingerprint !== fingerprint || record.area !== area) {
    throw new SluiceError('ERR_RECORD_INVALID', `record ${where} is one of ${record.area}, ${record.fingerprint}`, {
      hint: 'Somebody put it there under another name. It is not used.',
    });
  }
  const problem = signatures.problemOfRecord(record, where);
  if (problem !== undefined) throw problem;
  return record;
}

async function missingOuts(remote: Remote, record: StageRecord, signal: AbortSignal | undefined): Promise<RelPath[]> {
  const looks = [...record.outs].map(async ([path, root]): Promise<RelPath[]> => {
    const found = await areaThatHolds(remote, remote.areas.bytes, root.digest, signal);
    return found === undefined ? [path] : [];
  });
  return (await Promise.all(looks)).flat();
}
