import { believesRecord } from '../remote/areas.js';
import { writeRecord } from '../store/records.js';
import { relyOn } from '../store/rely.js';
import { updateLock } from './commit-outs.js';
import type { StageContext } from './context.js';
import type { Decision } from './decide.js';
import type { Stage } from './stage.js';

/**
 * Makes a known result the one that the stage's lock names, after `bring` has put in place what is wanted of it. The caller holds the stage's lease. If `bring` throws, the lock is as it was.
 */
export async function adoptRecord<T>(
  context: StageContext,
  stage: Stage,
  { record, parts }: Decision & { readonly kind: 'restorable' },
  bring: () => Promise<T>,
): Promise<T> {
  const named = new Map(
    stage.outs.flatMap(({ path }) => {
      const root = record.outs.get(path);
      return root === undefined ? [] : [[path, root] as const];
    }),
  );
  // Until the lock names the result, only the lease keeps a collection away from it.
  return await relyOn(context.workspace.store, [...named.values()], async () => {
    const done = await bring();
    writeRecord(context.workspace.store, record, (earlier) => believesRecord(context.area, earlier));
    await updateLock(context, stage, parts, named);
    return done;
  });
}
