import { SluiceError } from '../errors.js';
import { holdStage } from '../stage/hold.js';
import { keepAside } from '../stage/keep-aside.js';
import { Resolver } from '../stage/resolve.js';
import { restoreOuts } from '../stage/restore.js';
import { listKept } from '../store/kept.js';
import type { OperationContext } from './context.js';
import type { CheckoutReport } from './reports.js';

/**
 * Puts data back that was kept aside when its place was taken, under the digest that the message named (or the beginning of it). What lies there now is kept
 * the same way. Throws `ERR_USAGE` if nothing, or more than one thing, was kept under this digest.
 */
export async function checkoutKept(context: OperationContext, digest: string): Promise<CheckoutReport> {
  const startedMs = performance.now();
  const wanted = digest.startsWith('sha256:') ? digest : `sha256:${digest}`;
  const notes = listKept(context.workspace.store).flatMap((listed) =>
    listed.kind === 'note' && listed.note.root.digest.startsWith(wanted) ? [listed.note] : [],
  );
  const [note, ...others] = notes;
  if (note === undefined || others.length > 0) {
    throw new SluiceError(
      'ERR_USAGE',
      `${notes.length === 0 ? 'nothing' : 'more than one thing'} was kept aside as ${digest}`,
      {
        hint: 'The digest stands in the message that said that the data was kept.',
      },
    );
  }
  const stage = context.stages.all.find(({ outs }) => outs.some(({ path }) => path === note.path));
  const out = stage?.outs.find(({ path }) => path === note.path);
  if (stage === undefined || out === undefined) {
    throw new SluiceError('ERR_USAGE', `${note.path} is no out of any stage any more`, {
      hint: 'Declare it again to get its data back.',
    });
  }
  const held = await holdStage(context, stage, true);
  try {
    const observed = await new Resolver(context).observed(out.path);
    await keepAside(context, out.path, observed);
    const { written, removed, unchanged, bytes } = await restoreOuts(context, [
      { stage, out, root: note.root, observed },
    ]);
    return {
      workspace: { written, removed, unchanged },
      bytes,
      referenceOnly: [],
      ms: Math.round(performance.now() - startedMs),
    };
  } finally {
    held.release();
  }
}
