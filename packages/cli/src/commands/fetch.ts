import { type Declare, examples } from '../command.js';
import { fetchOptionsOf, type TransferOptions, withTransferOptions } from './fetch-options.js';

/** `sluice fetch` */
export const declareFetch: Declare = (program, execute) => {
  withTransferOptions(program.command('fetch [selectors...]'))
    .summary('bring data from a remote into the store')
    .description('Bring what the locks name from a remote into the store. The workspace stays as it is.')
    .addHelpText(
      'after',
      examples('sluice fetch', 'sluice fetch --history people:raw', 'sluice fetch --max-bytes 500MB'),
    )
    .action(async (select: string[], options: TransferOptions) =>
      execute(async (engine, { globals }) => {
        const report = await engine.fetch({ select, ...fetchOptionsOf(options) });
        const { fetchText } = await import('../render/fetch.js');
        return { json: report, text: fetchText(report, globals.verbose === true) };
      }),
    );
};
