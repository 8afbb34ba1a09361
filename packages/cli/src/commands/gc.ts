import { resolve } from 'node:path';
import { type GcRemoteOptions, gcRemoteText, SluiceError } from '@sluice/engine';
import { Option } from 'commander';
import { type Call, type Declare, examples } from '../command.js';
import { type HistoryOptions, scopeOf, withRecentHistory } from './history.js';
import { parseAge } from './parse.js';
import { workspacePath } from './paths.js';

interface GcOptions extends HistoryOptions {
  /** Says what holds anyway. */
  readonly workspace?: boolean;
  readonly records?: number;
  readonly allowUnpushed?: boolean;
  readonly forgetWorkspace?: string;
  readonly dryRun?: boolean;
  readonly explain?: string;
  readonly remote?: string;
  readonly grace?: number;
  readonly foreign?: number;
}

/** What is about the store alone. */
const NOT_REMOTE = ['allowUnpushed', 'forgetWorkspace', 'explain'];

/** `sluice gc` */
export const declareGc: Declare = (program, execute) => {
  withRecentHistory(
    program.command('gc').option('--workspace', 'keep what the locks of the workspaces name: always, and the default'),
  )
    .summary('drop from the store, or from a remote, what nothing refers to')
    .description(
      'Drop from the store what nothing refers to. The locks of all workspaces of the store always count, and the options add to them. Results that no remote is known to hold are kept all the same. With --remote, collect a remote instead: there all branches and tags count too, and what nothing needs is condemned first and deleted by a collection a day later or more.',
    )
    .option('--records <age>', 'also results that were recorded within this time, such as 14d', parseAge)
    .option('--allow-unpushed', 'also drop what no remote is known to hold')
    .option('--forget-workspace <path>', 'take a workspace that is gone off the list of the store')
    .option('--dry-run', 'only say what would be dropped')
    .option('--explain <digest-or-path>', 'say what keeps this object, and drop nothing')
    .addOption(new Option('--remote <name>', 'collect this remote instead of the store').conflicts(NOT_REMOTE))
    .option('--grace <age>', 'with --remote: how long what is condemned stays; 1d if it is not given', parseAge)
    .option('--foreign <age>', 'with --remote: also drop what no commit here names and is older than this', parseAge)
    .addHelpText(
      'after',
      examples(
        'sluice gc --dry-run',
        'sluice gc --all-branches --records 14d',
        'sluice gc --explain people/data/raw/1.jpg',
        'sluice gc --remote team --dry-run',
      ),
    )
    .action(async (options: GcOptions) =>
      execute(async (engine, call) => {
        const { records, allowUnpushed, forgetWorkspace, dryRun, explain } = options;
        const scope = { ...scopeOf(options), ...(records === undefined ? {} : { recordsMs: records }) };
        const chosen = {
          ...scope,
          ...(allowUnpushed === undefined ? {} : { allowUnpushed }),
          ...(forgetWorkspace === undefined ? {} : { forgetWorkspace: resolve(call.cwd, forgetWorkspace) }),
          ...(dryRun === undefined ? {} : { dryRun }),
        };
        const { gcExplanationText, gcText } = await import('../render/gc.js');
        if (options.remote !== undefined) {
          const report = await engine.gcRemote({ ...scope, ...remoteOf(options, options.remote) });
          return { json: report, text: gcRemoteText(report, '--foreign 90d') };
        }
        if (options.grace !== undefined || options.foreign !== undefined) {
          throw new SluiceError('ERR_USAGE', '--grace and --foreign are about a remote', {
            hint: 'Add --remote NAME.',
          });
        }
        if (explain !== undefined) {
          const explanation = await engine.explainGc({ ...chosen, what: objectName(explain, engine.root, call) });
          return { json: explanation, text: gcExplanationText(explanation) };
        }
        const report = await engine.gc(chosen);
        return { json: report, text: gcText(report, scope) };
      }),
    );
};

function remoteOf({ grace, foreign, dryRun }: GcOptions, remote: string): GcRemoteOptions {
  return {
    remote,
    ...(grace === undefined ? {} : { graceMs: grace }),
    ...(foreign === undefined ? {} : { foreignMs: foreign }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
}

/** A digest as it is; a path, which the shell completed in the current directory, from the workspace root. */
function objectName(text: string, root: string, call: Call): string {
  if (/^sha256:/.test(text)) return text;
  return workspacePath(text, root, call);
}
