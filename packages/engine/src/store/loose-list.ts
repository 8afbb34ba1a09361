import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { PART } from '../model/tree.js';
import { readWhole } from '../util/whole-io.js';
import type { Files } from './files.js';
import type { Layout, ObjectKind } from './layout.js';
import { listNames } from './lease.js';

/** A loose object as the listing of its directory shows it. */
export interface LooseObject {
  readonly kind: ObjectKind;
  /** Name below `objects/`. */
  readonly name: string;
  readonly raw: Buffer;
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly mode: number;
  /** A part of a split directory, which does not count as a tree of its own. */
  readonly part: boolean;
}

/** Where a node says what shape it has (`docs/format.md`, "Tree nodes"). */
const SHAPE_AT = 4;

const NAME = /^([0-9a-f]{62})([.]tree)?$/;

/** Every loose object, in the order of directories. Files with other names are not ours and are left alone. */
export function* listLoose(files: Files, layout: Layout): Generator<LooseObject> {
  for (const prefix of listNames(files, layout.objects)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const rest of listNames(files, join(layout.objects, prefix))) {
      const match = NAME.exec(rest);
      if (match === null) continue;
      const name = `${prefix}/${rest}`;
      const path = join(layout.objects, name);
      const stat = files.lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) continue;
      const kind = match[2] === undefined ? 'blob' : 'tree';
      const raw = Buffer.from(prefix + match[1], 'hex');
      if (raw.length !== RAW_DIGEST_BYTES) continue;
      const part = kind === 'tree' && isPart(files, path);
      yield { kind, name, raw, bytes: stat.size, mtimeMs: stat.mtimeMs, mode: stat.mode, part };
    }
  }
}

function isPart(files: Files, path: string): boolean {
  const start = Buffer.alloc(SHAPE_AT + 1);
  try {
    const fd = files.openSync(path, 'r');
    try {
      readWhole(files, fd, start);
    } finally {
      files.closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return start[SHAPE_AT] === PART;
}
