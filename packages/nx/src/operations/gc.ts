import { type Engine, gcRemoteText, SluiceError } from '@sluice/engine';
import { gcText } from '../sentences.js';
import type { Operation } from './operation.js';
import { type GcOptions, scopeOf } from './options.js';

const DAY_MS = 86_400_000;

/** Drops from the store, or from a remote, what nothing refers to. `ERR_USAGE` if options of both are given. */
export const gc: Operation<GcOptions> = async (engine, options) => {
  const { remote } = options;
  const text =
    remote === undefined ? await collectStore(engine, options) : await collectRemote(engine, options, remote);
  return { text, success: true };
};

async function collectStore(engine: Engine, options: GcOptions): Promise<string> {
  if (options.graceDays !== undefined || options.foreignDays !== undefined) {
    throw new SluiceError('ERR_USAGE', 'graceDays and foreignDays are about a remote', {
      hint: 'Give the option remote too.',
    });
  }
  const { allowUnpushed } = options;
  return gcText(await engine.gc({ ...sharedOf(options), ...(allowUnpushed === undefined ? {} : { allowUnpushed }) }));
}

async function collectRemote(engine: Engine, options: GcOptions, remote: string): Promise<string> {
  const { allowUnpushed, graceDays, foreignDays } = options;
  if (allowUnpushed === true) {
    throw new SluiceError('ERR_USAGE', 'allowUnpushed is about the store, and remote collects a remote instead', {
      hint: 'Leave one of them out.',
    });
  }
  const report = await engine.gcRemote({
    remote,
    ...sharedOf(options),
    ...(graceDays === undefined ? {} : { graceMs: graceDays * DAY_MS }),
    ...(foreignDays === undefined ? {} : { foreignMs: foreignDays * DAY_MS }),
  });
  return gcRemoteText(report, '--foreignDays=90');
}

/** What both collections take, in the words of the engine. */
function sharedOf(options: GcOptions): Parameters<Engine['gc']>[0] {
  const { since, num, recordsDays, dryRun } = options;
  return {
    ...scopeOf(options),
    ...(since === undefined ? {} : { since }),
    ...(num === undefined ? {} : { num }),
    ...(recordsDays === undefined ? {} : { recordsMs: recordsDays * DAY_MS }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
}
