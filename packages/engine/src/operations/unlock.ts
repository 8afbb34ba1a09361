import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { digestOf, hexOf } from '../model/digest.js';
import { isWithin, type RelPath, tryParseRelPath } from '../model/path.js';
import { holdStage } from '../stage/hold.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { absolutePath } from '../workspace/workspace.js';
import type { OperationContext } from './context.js';
import type { UnlockReport } from './reports.js';

/**
 * Makes files of outs private and writable: a read-only file, or one that shares its bytes with the store, is replaced by a copy at once, so that after a crash the one or the other lies there, whole. Paths are relative to the
 * workspace root. Throws, before anything is touched, `ERR_SELECTOR` for what lies in no out, `ERR_OUT_MODIFIED` for files of `append-only` outs, `ERR_FILE_KIND` for what is no plain file and `ERR_NOT_LOCAL` for what is not there.
 */
export async function unlock(context: OperationContext, paths: readonly string[]): Promise<UnlockReport> {
  const places = paths.map((path) => placeOf(context, path));
  const report = { unlocked: [] as string[], unchanged: [] as string[], bytes: 0 };
  for (const { path, stage } of places) {
    const held = await holdStage(context, stage, true);
    try {
      // Looked at again: whoever held the stage may have put it there anew.
      const stat = plainFile(context, stage, path);
      if (isPrivate(stat)) {
        report.unchanged.push(path);
        continue;
      }
      replaceByCopy(context, path, stat);
      report.unlocked.push(path);
      report.bytes += stat.size;
    } finally {
      held.release();
    }
  }
  return report;
}

interface Place {
  readonly path: RelPath;
  readonly stage: Stage;
  readonly out: Out;
}

function placeOf(context: OperationContext, text: string): Place {
  const path = tryParseRelPath(text);
  const owner =
    path === undefined
      ? undefined
      : context.stages.all
          .flatMap((stage) => stage.outs.map((out) => ({ path, stage, out })))
          .find(({ out }) => isWithin(path, out.path));
  if (owner === undefined) {
    throw new SluiceError('ERR_SELECTOR', `${text} lies in no out of a stage`, {
      hint: '`sluice status` lists outs; a path is relative to the current directory.',
    });
  }
  if (owner.out.mutability === 'append-only') {
    throw new SluiceError(
      'ERR_OUT_MODIFIED',
      `${text} stays as it is: the mutability of ${owner.out.path} is append-only, so its files are never changed`,
      { hint: `Add a file beside it, or declare another mutability for ${stageName(owner.stage.id)}.` },
    );
  }
  plainFile(context, owner.stage, owner.path);
  return owner;
}

function plainFile({ workspace }: OperationContext, stage: Stage, path: RelPath): Stats {
  const stat = lstatSync(absolutePath(workspace, path), { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new SluiceError('ERR_NOT_LOCAL', `${path} is not in the workspace`, {
      hint: `Get it first: sluice pull ${stageName(stage.id)}`,
      details: { path },
    });
  }
  if (stat.isFile()) return stat;
  throw new SluiceError('ERR_FILE_KIND', `${path} is no plain file`, {
    hint: stat.isDirectory()
      ? 'Name the files in it, such as with a pattern of your shell.'
      : 'Only files can be unlocked.',
  });
}

function isPrivate({ mode, nlink }: Stats): boolean {
  return nlink === 1 && (mode & constants.S_IWUSR) !== 0;
}

/** The copy is made where nobody takes it for data, under a name that the next attempt uses again. */
function replaceByCopy({ workspace }: OperationContext, path: RelPath, { mode }: Stats): void {
  const dir = join(workspace.root, '.sluice', 'unlock');
  const copy = join(dir, hexOf(digestOf(path)));
  mkdirSync(dir, { recursive: true });
  rmSync(copy, { force: true });
  try {
    copyFileSync(absolutePath(workspace, path), copy, constants.COPYFILE_FICLONE);
    chmodSync(copy, (mode & 0o777) | constants.S_IWUSR);
    const fd = openSync(copy, 'r+');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(copy, absolutePath(workspace, path));
  } finally {
    rmSync(copy, { force: true });
  }
}
