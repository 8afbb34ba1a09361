import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { type Digest, hexOf } from '../model/digest.js';
import { asObject, asText, expectKeys, type Fail, parseJson, printBlock } from '../model/json.js';
import { parseOuts, printOuts } from '../model/outs-json.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { listNames } from './lease.js';
import { putSmallFile, readSmallFile, removeSmallFile } from './small-file.js';
import type { Store } from './store.js';

/** Says that an out which nothing else names was brought into the store before its place was taken. Named by its root. */
export interface KeptNote {
  readonly root: OutRoot;
  readonly path: RelPath;
  /** Absolute path of the workspace, for messages. */
  readonly workspace: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it was kept, for a person. */
  readonly reason: string;
}

/** A note of the store, or why it cannot be read. */
export type ListedNote =
  | { readonly kind: 'note'; readonly note: KeptNote }
  | { readonly kind: 'damaged'; readonly file: string; readonly problem: SluiceError };

const VERSION = 1;

/** Writes a note. Call it after the objects are published and before the session ends. A later note about the same bytes replaces an earlier one. */
export function writeKept(store: Store, note: KeptNote): void {
  const block = printBlock([
    ['version', String(VERSION)],
    ['out', printOuts(new Map([[note.path, note.root]]))],
    ['workspace', JSON.stringify(note.workspace)],
    ['at', JSON.stringify(note.at)],
    ['reason', JSON.stringify(note.reason)],
  ]);
  putSmallFile(store, notePath(store, note.root.digest), `${block}\n`);
}

/** Every note, sorted by file name. */
export function listKept(store: Store): ListedNote[] {
  return listNames(store.files, store.layout.kept)
    .filter((name) => /^[0-9a-f]{64}[.]json$/.test(name))
    .sort()
    .flatMap((name): ListedNote[] => {
      const file = join(store.layout.kept, name);
      const text = readSmallFile(store, file);
      if (text === undefined) return [];
      try {
        return [{ kind: 'note', note: parseNote(text, file) }];
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        return [{ kind: 'damaged', file, problem: error }];
      }
    });
}

/** Deletes the note about a root; returns whether there was one. */
export function removeKept(store: Store, root: Digest): boolean {
  return removeSmallFile(store, notePath(store, root));
}

function notePath(store: Store, root: Digest): string {
  return join(store.layout.kept, `${hexOf(root)}.json`);
}

function parseNote(text: string, file: string): KeptNote {
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_RECORD_INVALID', `${file}: ${place === '' ? 'it' : place} ${problem}`);
  };
  const note = asObject(parseJson(text, fail), '', fail);
  if (note.get('version') !== VERSION) fail('version', `is not ${VERSION}`);
  expectKeys(note, ['version', 'out', 'workspace', 'at', 'reason'], '', fail);
  const [out, another] = parseOuts(note.get('out'), 'out', fail);
  if (out === undefined || another !== undefined) return fail('out', 'is not one out');
  return {
    path: out[0],
    root: out[1],
    workspace: asText(note.get('workspace'), 'workspace', fail),
    at: asText(note.get('at'), 'at', fail),
    reason: asText(note.get('reason'), 'reason', fail),
  };
}
