import { SluiceError } from '../errors.js';
import { canonicalJson } from './canonical-json.js';
import { type Digest, digestOf } from './digest.js';
import {
  asCount,
  asFlag,
  asObject,
  asText,
  type Block,
  expectKeys,
  type Fail,
  parseJson,
  placeOf,
  printBlock,
} from './json.js';
import { asDigest, parseOuts, parseParts, printOuts, printParts } from './outs-json.js';
import { fingerprintOf, type Part } from './parts.js';
import { compareUtf8, type RelPath } from './path.js';
import { type OutRoot, sameRoot } from './root.js';

/** Who made a result, as far as it is known. */
export interface Maker {
  readonly repository?: string;
  readonly commit?: string;
  readonly run?: string;
  readonly host?: string;
}

/** "This fingerprint gave these roots": what lets a result be restored without a lock that names it. */
export interface StageRecord {
  /** The fingerprint; for tracked data the digest of its outs ({@link trackedKey}). It is the record's name. */
  readonly fingerprint: Digest;
  /** A record of tracked data has no parts and only says what was committed when. */
  readonly tracked: boolean;
  readonly parts: readonly Part[];
  readonly outs: ReadonlyMap<RelPath, OutRoot>;
  readonly stage: { readonly project: string; readonly target: string };
  /** `at`: ISO 8601 in UTC with milliseconds; `ms`: how long the run took. */
  readonly made: { readonly at: string; readonly ms: number; readonly by?: Maker };
  /** The trust area of the writer: `trusted`, `shared` or `pr/<n>`. */
  readonly area: string;
  /** Raw bytes that say who vouches for all of it; a record of a store has them only where it came with them. */
  readonly signature?: Buffer;
}

/** Whether two records have the same outs with the same roots. */
export function sameOuts(a: StageRecord, b: StageRecord): boolean {
  return a.outs.size === b.outs.size && [...a.outs].every(([path, root]) => sameRoot(root, b.outs.get(path)));
}

const VERSION = 1;
/** The version of a record that is signed. */
const SIGNED_VERSION = 2;
const SIGNATURE = /^hmac-sha256:([0-9a-f]{64})$/;
const AREA = /^(?:trusted|shared|pr\/[1-9][0-9]{0,15})$/;

/** Whether `text` names a trust area: `trusted`, `shared` or `pr/<n>`. */
export function isArea(text: string): boolean {
  return AREA.test(text);
}

/** The name of a record of tracked data: the digest of its outs in canonical JSON. */
export function trackedKey(outs: ReadonlyMap<RelPath, OutRoot>): Digest {
  const entries = [...outs].map(([path, root]): [string, unknown] => [path, outValue(root)]);
  return digestOf(canonicalJson(Object.fromEntries(entries)));
}

/**
 * Parses the text of a record; `where` names it in messages. Throws `ERR_FORMAT_VERSION` for a newer format and
 * `ERR_RECORD_INVALID` for anything else that is wrong, also when the fingerprint does not belong to the parts.
 */
export function parseRecord(text: string, where: string): StageRecord {
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_RECORD_INVALID', `record ${where}: ${place === '' ? 'it' : place} ${problem}`, {
      hint: 'A damaged record is never used; `sluice verify --repair` sets it aside.',
      details: { record: where, place },
    });
  };
  const record = asObject(parseJson(text, fail), '', fail);
  const isSigned = versionOf(record.get('version'), where, fail) === SIGNED_VERSION;
  expectKeys(record, isSigned ? [...KEYS, 'signature'] : KEYS, '', fail);
  const fingerprint = asDigest(record.get('fingerprint'), 'fingerprint', fail);
  const tracked = record.has('tracked') && asFlag(record.get('tracked'), 'tracked', fail);
  const parts = parseParts(record.get('parts'), 'parts', fail);
  const outs = parseOuts(record.get('outs'), 'outs', fail);
  if (tracked && parts.length > 0) fail('parts', 'are not empty although the data is tracked');
  if (fingerprint !== (tracked ? trackedKey(outs) : fingerprintOf(parts))) {
    fail('fingerprint', `is not that of its ${tracked ? 'outs' : 'parts'}`);
  }
  const area = asText(record.get('area'), 'area', fail);
  if (!isArea(area)) fail('area', 'is not trusted, shared or pr/<n>');
  const stage = parseStageId(record.get('stage'), fail);
  const parsed = { fingerprint, tracked, parts, outs, stage, made: parseMade(record.get('made'), fail), area };
  return isSigned ? { ...parsed, signature: parseSignature(record.get('signature'), fail) } : parsed;
}

/** How long the run of a record took, in ms; `undefined` if its text does not say so. Anything else in it may be wrong. */
export function parseRunTime(text: string): number | undefined {
  try {
    const { ms } = (JSON.parse(text) as { made: { ms: unknown } }).made;
    return Number.isSafeInteger(ms) && (ms as number) >= 0 ? (ms as number) : undefined;
  } catch {
    return undefined;
  }
}

/** The canonical text of a record: parts and outs as in a lock, a final newline. */
export function printRecord(record: StageRecord): string {
  const { at, ms, by } = record.made;
  const made: Block = [
    ['at', JSON.stringify(at)],
    ['ms', String(ms)],
    ...(by === undefined ? [] : [['by', printMaker(by)] as const]),
  ];
  const block: Block = [
    ['version', String(record.signature === undefined ? VERSION : SIGNED_VERSION)],
    ['fingerprint', JSON.stringify(record.fingerprint)],
    ...(record.tracked ? [['tracked', 'true'] as const] : []),
    ['parts', printParts(record.parts)],
    ['outs', printOuts(record.outs)],
    [
      'stage',
      [
        ['project', JSON.stringify(record.stage.project)],
        ['target', JSON.stringify(record.stage.target)],
      ],
    ],
    ['made', made],
    ['area', JSON.stringify(record.area)],
    ...(record.signature === undefined
      ? []
      : [['signature', JSON.stringify(`hmac-sha256:${record.signature.toString('hex')}`)] as const]),
  ];
  return `${printBlock(block)}\n`;
}

const KEYS = ['version', 'fingerprint', 'tracked', 'parts', 'outs', 'stage', 'made', 'area'];
const MAKER_KEYS = ['commit', 'host', 'repository', 'run'] as const satisfies (keyof Maker)[];

function versionOf(version: unknown, where: string, fail: Fail): number {
  if (typeof version === 'number' && version > SIGNED_VERSION) {
    throw new SluiceError(
      'ERR_FORMAT_VERSION',
      `record ${where} has format ${version}; this Sluice knows formats up to ${SIGNED_VERSION}`,
      {
        hint: 'Update Sluice.',
      },
    );
  }
  if (version === VERSION || version === SIGNED_VERSION) return version;
  return fail('version', `is not ${VERSION} or ${SIGNED_VERSION}`);
}

function parseSignature(value: unknown, fail: Fail): Buffer {
  const [, hex] = SIGNATURE.exec(asText(value, 'signature', fail)) ?? [];
  return hex === undefined ? fail('signature', 'is not hmac-sha256: and 64 hex digits') : Buffer.from(hex, 'hex');
}

function parseStageId(value: unknown, fail: Fail): StageRecord['stage'] {
  const stage = asObject(value, 'stage', fail);
  expectKeys(stage, ['project', 'target'], 'stage', fail);
  return {
    project: asText(stage.get('project'), 'stage.project', fail),
    target: asText(stage.get('target'), 'stage.target', fail),
  };
}

function parseMade(value: unknown, fail: Fail): StageRecord['made'] {
  const made = asObject(value, 'made', fail);
  expectKeys(made, ['at', 'ms', 'by'], 'made', fail);
  const at = asText(made.get('at'), 'made.at', fail);
  const time = new Date(at);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== at) fail('made.at', 'is not an ISO time in UTC');
  const ms = asCount(made.get('ms'), 'made.ms', fail);
  return made.has('by') ? { at, ms, by: parseMaker(made.get('by'), fail) } : { at, ms };
}

function parseMaker(value: unknown, fail: Fail): Maker {
  const object = asObject(value, 'made.by', fail);
  expectKeys(object, MAKER_KEYS, 'made.by', fail);
  const maker: { -readonly [key in keyof Maker]: string } = {};
  for (const key of MAKER_KEYS) {
    if (object.has(key)) maker[key] = asText(object.get(key), placeOf('made.by', key), fail);
  }
  return maker;
}

function printMaker(maker: Maker): Block {
  return MAKER_KEYS.flatMap((key) => {
    const value = maker[key];
    return value === undefined ? [] : [[key, JSON.stringify(value)] as const];
  }).sort(([a], [b]) => compareUtf8(a, b));
}

function outValue(root: OutRoot): unknown {
  if (root.kind === 'tree') return { tree: root.digest, files: root.files, bytes: root.bytes };
  return { blob: root.digest, bytes: root.bytes, ...(root.exec ? { exec: true } : {}) };
}
