import { SluiceError } from '../errors.js';
import type { Digest } from './digest.js';
import { asFlag, asObject, type Block, expectKeys, type Fail, parseJson, placeOf, printBlock } from './json.js';
import { conflictName, type LockConflict, parseConflicts, printConflicts } from './lock-conflicts.js';
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
  /** The outs of a stage with a command were put together by a merge: no run made them, so they are nobody's result, and there are no parts. */
  readonly merged?: boolean;
}

/** The locked stages of one project, by target name. */
export interface Lock {
  readonly stages: ReadonlyMap<string, LockedStage>;
}

/** A lock after a merge, which may hold conflicts: then only `status` and `resolve` read it. */
export interface MergedLock extends Lock {
  /** Sorted by target, out and path. What `stages` has at their paths is that of our side. */
  readonly conflicts: readonly LockConflict[];
}

/** The form of a lock that no merge left its marks in. */
const VERSION = 1;
/** The form with the marks of a merge: what older versions must not take for a result. */
const MERGED_VERSION = 2;
const MERGE_MARKER = /^(?:<{7}|={7}|>{7}|\|{7})(?:[ \r]|$)/m;

/**
 * Parses the text of a lock. `where` names it in messages: its path, or revision and path.
 * Throws `ERR_LOCK_CONFLICT` for conflicts and merge markers, `ERR_LOCK_VERSION` for a newer format and `ERR_LOCK_INVALID` for anything else
 * that is wrong, with the place. Every path in the result is safe to join to the workspace root.
 */
export function parseLock(text: string, where: string): Lock {
  const { conflicts, stages } = parseMergedLock(text, where);
  const [first] = conflicts;
  if (first === undefined) return { stages };
  const others = conflicts.length > 1 ? `, and ${conflicts.length - 1} more` : '';
  throw new SluiceError('ERR_LOCK_CONFLICT', `${where} holds conflicts of a merge: ${conflictName(first)}${others}`, {
    hint: '`sluice status` lists them, and `sluice resolve --ours` or `--theirs` with a selector ends them.',
  });
}

/** Like {@link parseLock}, and gives the conflicts that a merge left instead of refusing them. Merge markers are refused all the same. */
export function parseMergedLock(text: string, where: string): MergedLock {
  if (MERGE_MARKER.test(text)) {
    throw new SluiceError('ERR_LOCK_CONFLICT', `${where} holds merge markers`, {
      hint: 'Keep one side of each conflict (`git checkout --ours` or `--theirs`, then `sluice status`), and add the file to the merge. With the merge driver of `sluice init` git leaves none.',
    });
  }
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_LOCK_INVALID', `${where}: ${place === '' ? 'it' : place} ${problem}`, {
      hint: 'Bring back the version that git has (`git checkout -- <file>`), or delete it and commit the stages again.',
      details: { file: where, place },
    });
  };
  const lock = asObject(parseJson(text, fail), '', fail);
  const version = checkVersion(lock.get('version'), where, fail);
  const isMerged = version === MERGED_VERSION;
  expectKeys(lock, ['version', 'stages', ...(isMerged ? ['conflicts'] : [])], '', fail);
  const stages = [...asObject(lock.get('stages'), 'stages', fail)].map(([target, entry]): [string, LockedStage] => {
    const place = placeOf('stages', target);
    if (target === '' || !target.isWellFormed()) return fail(place, 'is not the name of a target');
    return [target, parseStage(entry, isMerged, place, fail)];
  });
  const conflicts = lock.has('conflicts') ? parseConflicts(lock.get('conflicts'), 'conflicts', fail) : [];
  return { stages: new Map(stages.sort(([a], [b]) => compareUtf8(a, b))), conflicts };
}

/** The canonical text of a lock: sorted by UTF-8 bytes, one line per part and per out, a final newline. */
export function printLock({ stages: byTarget, conflicts = [] }: Lock & Partial<MergedLock>): string {
  const stages = [...byTarget].sort(([a], [b]) => compareUtf8(a, b));
  const isMerged = conflicts.length > 0 || stages.some(([, { merged }]) => merged === true);
  const block: Block = [
    ['version', String(isMerged ? MERGED_VERSION : VERSION)],
    ['stages', stages.map(([target, stage]) => [target, printStage(stage)])],
    ...(conflicts.length > 0 ? [['conflicts', printConflicts(conflicts)] as const] : []),
  ];
  return `${printBlock(block)}\n`;
}

function checkVersion(version: unknown, where: string, fail: Fail): number {
  if (version === VERSION || version === MERGED_VERSION) return version;
  if (typeof version === 'number' && version > MERGED_VERSION) {
    throw new SluiceError(
      'ERR_LOCK_VERSION',
      `${where} has format ${version}; this Sluice knows formats up to ${MERGED_VERSION}`,
      {
        hint: 'Update Sluice, or bring back the older lock from git.',
      },
    );
  }
  return fail('version', `is not ${VERSION} or ${MERGED_VERSION}`);
}

function parseStage(entry: unknown, isMerged: boolean, place: string, fail: Fail): LockedStage {
  const stage = asObject(entry, place, fail);
  expectKeys(stage, ['fingerprint', 'parts', 'outs', ...(isMerged ? ['merged'] : [])], place, fail);
  const outs = parseOuts(stage.get('outs'), placeOf(place, 'outs'), fail);
  if (stage.has('merged')) {
    if (!asFlag(stage.get('merged'), placeOf(place, 'merged'), fail)) fail(placeOf(place, 'merged'), 'is not true');
    expectKeys(stage, ['merged', 'outs'], place, fail);
    return { fingerprint: undefined, parts: [], outs, merged: true };
  }
  if (!stage.has('fingerprint') && !stage.has('parts')) return { fingerprint: undefined, parts: [], outs };
  const fingerprint = asDigest(stage.get('fingerprint'), placeOf(place, 'fingerprint'), fail);
  const parts = parseParts(stage.get('parts'), placeOf(place, 'parts'), fail);
  if (fingerprintOf(parts) !== fingerprint) fail(placeOf(place, 'fingerprint'), 'is not the fingerprint of its parts');
  return { fingerprint, parts, outs };
}

function printStage(stage: LockedStage): Block {
  const outs: Block[number] = ['outs', printOuts(stage.outs)];
  if (stage.fingerprint === undefined) return stage.merged === true ? [['merged', 'true'], outs] : [outs];
  return [['fingerprint', JSON.stringify(stage.fingerprint)], ['parts', printParts(stage.parts)], outs];
}
