import { Option } from 'commander';
import { type Declare, examples } from '../command.js';

interface ResolveOptions {
  readonly ours?: boolean;
  readonly theirs?: boolean;
}

/** `sluice resolve` */
export const declareResolve: Declare = (program, execute) => {
  program
    .command('resolve [selectors...]')
    .summary('end conflicts that a merge left in locks')
    .description(
      'End conflicts that a merge left in locks, by taking one side of each. Without a side, outs are merged whose trees could not be had before. No data is moved.',
    )
    .addOption(new Option('--ours', 'take what our side has').conflicts('theirs'))
    .option('--theirs', 'take what their side has')
    .addHelpText(
      'after',
      examples('sluice resolve --ours', "sluice resolve --theirs 'people:raw#1999/*.jpg'", 'sluice resolve people:raw'),
    )
    .action(async (select: string[], { ours, theirs }: ResolveOptions) =>
      execute(async (engine, { globals }) => {
        const side = ours === true ? 'ours' : theirs === true ? 'theirs' : undefined;
        const report = await engine.resolve({ select, ...(side === undefined ? {} : { side }) });
        const { resolveText } = await import('../render/merge.js');
        return { json: report, text: resolveText(report, globals.verbose === true) };
      }),
    );
};
