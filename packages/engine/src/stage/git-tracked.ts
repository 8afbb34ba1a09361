import { SluiceError } from '../errors.js';
import { trackedFilesUnder } from '../history/git.js';
import type { StageContext } from './context.js';
import { type Stage, stageName } from './stage.js';

/** Throws `ERR_OUT_TRACKED_BY_GIT` if git tracks files of an out that Sluice is to keep. */
export async function refuseTracked(context: StageContext, stage: Stage): Promise<void> {
  const { root } = context.workspace;
  for (const { path, cache } of stage.outs) {
    if (!cache) continue;
    const tracked = await trackedFilesUnder(root, path);
    if (tracked.length === 0) continue;
    throw new SluiceError(
      'ERR_OUT_TRACKED_BY_GIT',
      `${stageName(stage.id)}: git tracks ${tracked[0]}${tracked.length > 1 ? ` and ${tracked.length - 1} more` : ''}`,
      {
        hint: `Run: git rm -r --cached ${JSON.stringify(path)}`,
      },
    );
  }
}
