import { type Declare, examples } from '../command.js';
import { fetchOptionsOf, type TransferOptions, withTransferOptions } from './fetch-options.js';

/** `sluice pull` */
export const declarePull: Declare = (program, execute) => {
  withTransferOptions(program.command('pull [selectors...]'))
    .summary('bring data from a remote into the store and the workspace')
    .description('Bring what the locks name from a remote into the store, and make the workspace be what they say.')
    .option('--force', 'replace changes that are committed nowhere; a copy stays in the store')
    .addHelpText(
      'after',
      examples('sluice pull', 'sluice pull --rev v1.0 people', "sluice pull 'people:raw#1999/*.jpg'"),
    )
    .action(async (select: string[], options: TransferOptions & { readonly force?: boolean }) =>
      execute(async (engine, { globals }) => {
        const report = await engine.pull({ select, ...fetchOptionsOf(options) });
        const { pullText } = await import('../render/pull.js');
        return { json: report, text: pullText(report, globals.verbose === true) };
      }),
    );
};
