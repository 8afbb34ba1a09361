import { gcText } from '../sentences.js';
import type { Operation } from './operation.js';
import { type GcOptions, scopeOf } from './options.js';

const DAY_MS = 86_400_000;

/** Drops from the store what nothing refers to. */
export const gc: Operation<GcOptions> = async (engine, options) => {
  const { since, num, recordsDays, allowUnpushed, dryRun } = options;
  const report = await engine.gc({
    ...scopeOf(options),
    ...(since === undefined ? {} : { since }),
    ...(num === undefined ? {} : { num }),
    ...(recordsDays === undefined ? {} : { recordsMs: recordsDays * DAY_MS }),
    ...(allowUnpushed === undefined ? {} : { allowUnpushed }),
    ...(dryRun === undefined ? {} : { dryRun }),
  });
  return { text: gcText(report), success: true };
};
