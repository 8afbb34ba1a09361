import { SluiceError } from '../errors.js';
import { mergeBase } from '../history/merge-base.js';
import { type Alteration, findAlterations } from '../model/merge/added-only.js';
import { entryOfRoot, type TreeEntry } from '../model/merge/merge-entry.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { locksAt } from './locks-at.js';
import { NodeMissing, nodeReader } from './merge-nodes.js';
import type { Finding, VerifyReport } from './reports.js';
import type { Selected } from './select.js';

/** With what the locks are compared. */
export interface VerifyAppendOnlyOptions {
  /** A revision; see `mergeBase` for what it is without one. */
  readonly base?: string | undefined;
}

/**
 * Checks that `append-only` outs have only grown since the commit that `HEAD` and the base come from: by the locks and trees alone, no file is read or fetched. Throws `ERR_REVISION`,
 * `ERR_SHALLOW_CLONE`, `ERR_NOT_LOCAL` for a tree that cannot be had, and what `parseLock` throws.
 */
export async function verifyAppendOnly(
  context: OperationContext,
  selected: readonly Selected[],
  { base }: VerifyAppendOnlyOptions,
): Promise<VerifyReport> {
  const startedMs = performance.now();
  const { workspace, signal, env } = context;
  const outs = selected.flatMap(({ stage }) => stage.outs.map((out) => ({ stage, out })));
  const growing = outs.filter(({ out }) => out.mutability === 'append-only');
  const findings: Finding[] = [];
  let files = 0;
  if (growing.length > 0) {
    const commit = await mergeBase(workspace.root, base, { signal, env });
    const [before, now] = [await locksAt(context, commit), await locksAt(context, undefined)];
    for (const { stage, out } of growing) {
      const was = before(stage)?.get(out.path);
      if (was === undefined) continue;
      files += was.files;
      const is = now(stage)?.get(out.path);
      const found = await alterations(
        context,
        stage,
        out,
        entryOfRoot(was),
        is === undefined ? undefined : entryOfRoot(is),
      );
      findings.push(...found.map((one) => finding(stage, out, one, commit)));
    }
  }
  return { findings, checked: { objects: 0, files, bytes: 0 }, ms: Math.round(performance.now() - startedMs) };
}

async function alterations(
  context: OperationContext,
  stage: Stage,
  out: Out,
  was: TreeEntry,
  is: TreeEntry | undefined,
): Promise<Alteration[]> {
  const read = nodeReader(context, { base: was, ours: is, theirs: undefined }, out.remote);
  try {
    return await findAlterations(was, is, read);
  } catch (error) {
    if (!(error instanceof NodeMissing)) throw error;
    throw new SluiceError('ERR_NOT_LOCAL', `${stageName(stage.id)}: ${out.path} cannot be compared: ${error.message}`, {
      cause: error.cause,
      hint: 'Its trees have to be here or on a remote that answers.',
      details: { digest: error.digest },
    });
  }
}

function finding(stage: Stage, out: Out, { path, what }: Alteration, commit: string): Finding {
  const place = path === '' ? out.path : `${out.path}/${path}`;
  const message = `was ${what} since ${commit.slice(0, 12)}, and its mutability is append-only`;
  return {
    where: 'lock',
    name: `${stageName(stage.id)} ${place}`,
    problem: { code: 'ERR_OUT_MODIFIED', message },
    repaired: false,
  };
}
