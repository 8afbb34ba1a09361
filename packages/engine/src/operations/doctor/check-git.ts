import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { trackedFilesUnder } from '../../history/git.js';
import { isWithin, ROOT } from '../../model/path.js';
import { stageName } from '../../stage/stage.js';
import { plural } from '../../text/format.js';
import { ensureIgnored, missingIgnoreLine } from '../../workspace/gitignore.js';
import type { Diagnosis, Patient } from './finding.js';

/** Finds outs of Sluice that git keeps too, and those that lie there without being ignored. */
export async function checkGit({ root, files, stages, signal }: Patient): Promise<Diagnosis[]> {
  const tracked = await trackedFilesUnder(root, ROOT, { ...(signal === undefined ? {} : { signal }) });
  return stages.flatMap((stage) =>
    stage.outs
      .filter(({ cache }) => cache)
      .flatMap(({ path }): Diagnosis[] => {
        const subject = `${stageName(stage.id)} ${path}`;
        const kept = tracked.filter((file) => isWithin(file, path));
        const [first] = kept;
        const found: Diagnosis[] = [];
        if (first !== undefined) {
          const others = kept.length > 1 ? ` and ${plural(kept.length - 1, 'other file')}` : '';
          found.push({
            check: 'git-tracked',
            level: 'problem',
            subject,
            message: `git tracks ${first}${others}, so the stage is refused`,
            fix: `Run: git rm -r --cached ${JSON.stringify(path)}`,
          });
        }
        const missing = missingIgnoreLine(files.read, stage.projectRoot, path);
        if (missing !== undefined && existsSync(join(root, path))) {
          found.push({
            check: 'not-ignored',
            level: 'problem',
            subject,
            message: 'is not ignored: git offers to add it, and Nx reads it whole into memory',
            fix: `Add ${missing.line} to ${missing.file}.`,
            repair: () => void ensureIgnored(root, stage.projectRoot, path),
          });
        }
        return found;
      }),
  );
}
