import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SluiceError } from '../errors.js';
import type { MapHeader } from '../model/map.js';
import { printRecord, type StageRecord } from '../model/record.js';
import { withSignature } from '../model/sign-map.js';
import type { Area } from './areas.js';

/**
 * What is asked of the claims on a remote, its records and maps, besides that they lie in an area that counts, and how one's own are signed; `docs/format.md`, "Signatures".
 */
export interface Signatures {
  /** Which of them count only if one of the keys has signed them. A map that does not count may help to find bytes all the same. */
  readonly needed: { readonly records: boolean; readonly maps: boolean };
  /** Whether there is a key. */
  readonly canSign: boolean;
  /** Stands for the keys where maps have to be signed, and says nothing of them; else empty. */
  readonly name: string;
  /** The record with a signature, or with none where there is no key. */
  signRecord(record: StageRecord): StageRecord;
  /** The map with a signature, or as it is where there is no key. */
  signMap(map: Buffer, area: Area): Buffer;
  /** Why a record does not count: `ERR_SIGNATURE`. */
  problemOfRecord(record: StageRecord, where: string): SluiceError | undefined;
  /** Why the map of a header does not count: `ERR_SIGNATURE`. The rest of the map has to have the checksums of the header. */
  problemOfMap(header: MapHeader, area: Area, where: string): SluiceError | undefined;
}

/** Opens the signatures of keys. The first of `keys` signs, all of them verify; without any of them nothing that has to be signed counts. */
export function openSignatures(keys: readonly string[], needed: Signatures['needed']): Signatures {
  const [first] = keys;
  const problemOf = (what: string, text: Buffer, signature: Buffer | undefined): SluiceError | undefined => {
    const problem = signature === undefined ? 'is not signed' : 'is signed with none of the keys';
    const isSigned = signature !== undefined && keys.some((key) => isSame(hmac(key, text), signature));
    if (isSigned) return undefined;
    return new SluiceError('ERR_SIGNATURE', `${what} ${problem}, and trust is strict`, {
      hint: 'If it was pushed without SLUICE_SIGNING_KEY, push it again with it. If not, somebody else can write there.',
    });
  };
  return {
    needed,
    canSign: first !== undefined,
    name: needed.maps ? createHash('sha256').update(keys.join('\n')).digest('hex') : '',
    signRecord: ({ signature: _, ...record }) =>
      first === undefined ? record : { ...record, signature: hmac(first, recordText(record)) },
    signMap: (map, area) =>
      first === undefined ? map : withSignature(map, 'of this push', (header) => hmac(first, mapText(header, area))),
    problemOfRecord: ({ signature, ...record }, where) =>
      needed.records ? problemOf(`record ${where}`, recordText(record), signature) : undefined,
    problemOfMap: (header, area, where) =>
      needed.maps
        ? problemOf(`map ${where}`, mapText(header.signed?.bytes ?? NOTHING, area), header.signed?.signature)
        : undefined,
  };
}

/** Asks for no signatures and gives none. */
export const NO_SIGNATURES: Signatures = openSignatures([], { records: false, maps: false });

const SHORTEST_KEY = 32;

/** The keys of a text, between white space or commas. Throws `ERR_SIGNING_KEY`, which never shows one. */
export function parseSigningKeys(text: string | undefined): string[] {
  const keys = (text ?? '').split(/[\s,]+/).filter((key) => key !== '');
  const short = keys.findIndex((key) => key.length < SHORTEST_KEY);
  if (short < 0) return keys;
  throw new SluiceError(
    'ERR_SIGNING_KEY',
    `key ${short + 1} of SLUICE_SIGNING_KEY has fewer than ${SHORTEST_KEY} characters`,
    { hint: 'Make one with `openssl rand -hex 32`.' },
  );
}

const NOTHING = Buffer.alloc(0);

/** Area, fingerprint, parts and roots are in it. */
function recordText(record: StageRecord): Buffer {
  return Buffer.from(`sluice-record-1\n${printRecord(record)}`);
}

/** The header has the root and the checksums of all the rest. */
function mapText(header: Buffer, area: Area): Buffer {
  return Buffer.concat([Buffer.from(`sluice-map-1\n${area}\n`), header]);
}

function hmac(key: string, text: Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
