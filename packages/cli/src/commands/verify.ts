import { Option } from 'commander';
import { type Declare, examples } from '../command.js';
import { type HistoryOptions, scopeOf, withHistory } from './history.js';

interface VerifyOptions extends HistoryOptions {
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly from?: string;
  readonly remote?: string | true;
  readonly appendOnly?: boolean;
  readonly base?: string;
}

/** `sluice verify` */
export const declareVerify: Declare = (program, execute) => {
  withHistory(
    program
      .command('verify')
      .summary('check the store, links to it and the workspace, or a remote')
      .description(
        'Check the store, links to it and the workspace. With --remote, check instead whether a remote keeps all that the locks name; with --append-only, whether outs that may only grow have only grown. Findings that are not repaired: exit code 4.',
      )
      .option('--deep', 'read and hash every byte')
      .option(
        '--repair',
        'get good copies of what is damaged, from the workspace or a remote; to a remote, from the store',
      )
      .option('--from <name>', 'repair from this remote instead of those of the outs')
      .option('--remote [name]', 'check the default remote, or this one')
      .addOption(
        new Option(
          '--append-only',
          'check by the locks that append-only outs have only grown since the base',
        ).conflicts(['remote', 'deep', 'repair', 'from']),
      )
      .option('--base <rev>', 'with --append-only: the branch that changes go into (NX_BASE, GITHUB_BASE_REF, main)'),
  )
    .addHelpText(
      'after',
      examples('sluice verify', 'sluice verify --deep --repair', 'sluice verify --remote --all-branches --deep'),
    )
    .action(async (options: VerifyOptions) =>
      execute(async (engine) => {
        const { deep, repair, from, remote, appendOnly, base } = options;
        const { verifyFailure, verifyText } = await import('../render/verify.js');
        if (appendOnly === true) {
          const report = await engine.verifyAppendOnly({ select: [], ...(base === undefined ? {} : { base }) });
          return { json: report, text: verifyText(report), failure: verifyFailure(report, { locks: true }) };
        }
        const how = { ...(deep === undefined ? {} : { deep }), ...(repair === undefined ? {} : { repair }) };
        const report =
          remote === undefined
            ? await engine.verify({ ...how, ...(from === undefined ? {} : { from }) })
            : await engine.verifyRemote({ ...how, ...scopeOf(options), ...(remote === true ? {} : { remote }) });
        const failure = verifyFailure(report, { repaired: repair === true, remote: remote !== undefined });
        return { json: report, text: verifyText(report), failure };
      }),
    );
};
