import { type Declare, examples } from '../command.js';

interface SummaryCommandOptions {
  readonly rev?: string;
  readonly remote?: string;
}

/** `sluice summary` */
export const declareSummary: Declare = (program, execute) => {
  program
    .command('summary [selectors...]')
    .summary('sum up how much data there is, and where')
    .description(
      'Sum up each out: files and bytes, distinct ones, what only this out has, what is in the store, whether its remote holds it, and what it takes on the disk. No data moves.',
    )
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--remote <name>', 'ask this remote for every out')
    .addHelpText('after', examples('sluice summary', 'sluice summary --rev v1.0 people'))
    .action(async (select: string[], { rev, remote }: SummaryCommandOptions) =>
      execute(async (engine) => {
        const report = await engine.summary({
          select,
          ...(rev === undefined ? {} : { rev }),
          ...(remote === undefined ? {} : { remotes: [remote] }),
        });
        const { summaryText } = await import('../render/summary.js');
        return { json: report, text: summaryText(report) };
      }),
    );
};
