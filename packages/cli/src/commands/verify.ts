import { type Declare, examples } from '../command.js';
import { type HistoryOptions, scopeOf, withHistory } from './history.js';

interface VerifyOptions extends HistoryOptions {
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly from?: string;
  readonly remote?: string | true;
}

/** `sluice verify` */
export const declareVerify: Declare = (program, execute) => {
  withHistory(
    program
      .command('verify')
      .summary('check the store, links to it and the workspace, or a remote')
      .description(
        'Check the store, links to it and the workspace. With --remote, check instead whether a remote keeps all that the locks name. Findings that are not repaired: exit code 4.',
      )
      .option('--deep', 'read and hash every byte')
      .option(
        '--repair',
        'get good copies of what is damaged, from the workspace or a remote; to a remote, from the store',
      )
      .option('--from <name>', 'repair from this remote instead of those of the outs')
      .option('--remote [name]', 'check the default remote, or this one'),
  )
    .addHelpText(
      'after',
      examples('sluice verify', 'sluice verify --deep --repair', 'sluice verify --remote --all-branches --deep'),
    )
    .action(async (options: VerifyOptions) =>
      execute(async (engine) => {
        const { deep, repair, from, remote } = options;
        const how = { ...(deep === undefined ? {} : { deep }), ...(repair === undefined ? {} : { repair }) };
        const report =
          remote === undefined
            ? await engine.verify({ ...how, ...(from === undefined ? {} : { from }) })
            : await engine.verifyRemote({ ...how, ...scopeOf(options), ...(remote === true ? {} : { remote }) });
        const { verifyFailure, verifyText } = await import('../render/verify.js');
        const failure = verifyFailure(report, { repaired: repair === true, remote: remote !== undefined });
        return { json: report, text: verifyText(report), failure };
      }),
    );
};
