import { SluiceError } from '../errors.js';
import type { Digest } from './digest.js';
import { asObject, type Block, expectKeys, type Fail, parseJson, placeOf, printBlock } from './json.js';
import { asDigest, parseOuts, parseParts, printOuts, printParts } from './outs-json.js';
import { fingerprintOf, type Part } from './parts.js';
import { compareUtf8, type RelPath } from './path.js';
import type { OutRoot } from './root.js';

/** The name of a lock; it lies beside `project.json`. */
export const LOCK_FILE = 'sluice-lock.json';

/** What one stage made, and from what. */
export interface LockedStage {
  /** `undefined` for a tracked dataset, which has no parts either. */
  readonly fingerprint: Digest | undefined;
  /** Sorted by key. */
  readonly parts: readonly Part[];
  /** Sorted by path; no path lies inside another. */
  readonly outs: ReadonlyMap<RelPath, OutRoot>;
}

/** The locked stages of one project, by target name. */
export interface Lock {
  readonly stages: ReadonlyMap<string, LockedStage>;
}

const VERSION = 1;
const MERGE_MARKER = /^(?:<{7}|={7}|>{7}|\|{7})(?:[ \r]|$)/m;

/**
 * Parses the text of a lock. `where` names it in messages: its path, or revision and path.
 * Throws `ERR_LOCK_CONFLICT` for merge markers, `ERR_LOCK_VERSION` for a newer format and `ERR_LOCK_INVALID` for anything else
 * that is wrong, with the place. Every path in the result is safe to join to the workspace root.
 */
export function parseLock(text: string, where: string): Lock {
  if (MERGE_MARKER.test(text)) {
    throw new SluiceError('ERR_LOCK_CONFLICT', `${where} holds merge markers`, {
      hint: 'Keep one side of each conflict (`git checkout --ours` or `--theirs`, then `sluice status`), and add the file to the merge.',
    });
  }
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_LOCK_INVALID', `${where}: ${place === '' ? 'it' : place} ${problem}`, {
      hint: 'Bring back the version that git has (`git checkout -- <file>`), or delete it and commit the stages again.',
      details: { file: where, place },
    });
  };
  const lock = asObject(parseJson(text, fail), '', fail);
  checkVersion(lock.get('version'), where, fail);
  expectKeys(lock, ['version', 'stages'], '', fail);
  const stages = [...asObject(lock.get('stages'), 'stages', fail)].map(([target, entry]): [string, LockedStage] => {
    const place = placeOf('stages', target);
    if (target === '' || !target.isWellFormed()) return fail(place, 'is not the name of a target');
    return [target, parseStage(entry, place, fail)];
  });
  return { stages: new Map(stages.sort(([a], [b]) => compareUtf8(a, b))) };
}

/** The canonical text of a lock: sorted by UTF-8 bytes, one line per part and per out, a final newline. */
export function printLock(lock: Lock): string {
  const stages = [...lock.stages].sort(([a], [b]) => compareUtf8(a, b));
  const block: Block = [
    ['version', String(VERSION)],
    ['stages', stages.map(([target, stage]) => [target, printStage(stage)])],
  ];
  return `${printBlock(block)}\n`;
}

function checkVersion(version: unknown, where: string, fail: Fail): void {
  if (typeof version === 'number' && version > VERSION) {
    throw new SluiceError(
      'ERR_LOCK_VERSION',
      `${where} has format ${version}; this Sluice knows formats up to ${VERSION}`,
      {
        hint: 'Update Sluice, or bring back the older lock from git.',
      },
    );
  }
  if (version !== VERSION) fail('version', `is not ${VERSION}`);
}

function parseStage(entry: unknown, place: string, fail: Fail): LockedStage {
  const stage = asObject(entry, place, fail);
  expectKeys(stage, ['fingerprint', 'parts', 'outs'], place, fail);
  const outs = parseOuts(stage.get('outs'), placeOf(place, 'outs'), fail);
  if (!stage.has('fingerprint') && !stage.has('parts')) return { fingerprint: undefined, parts: [], outs };
  const fingerprint = asDigest(stage.get('fingerprint'), placeOf(place, 'fingerprint'), fail);
  const parts = parseParts(stage.get('parts'), placeOf(place, 'parts'), fail);
  if (fingerprintOf(parts) !== fingerprint) fail(placeOf(place, 'fingerprint'), 'is not the fingerprint of its parts');
  return { fingerprint, parts, outs };
}

function printStage(stage: LockedStage): Block {
  const outs: Block[number] = ['outs', printOuts(stage.outs)];
  if (stage.fingerprint === undefined) return [outs];
  return [['fingerprint', JSON.stringify(stage.fingerprint)], ['parts', printParts(stage.parts)], outs];
}
