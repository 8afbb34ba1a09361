import { type Declare, examples } from '../command.js';

/** `sluice commit` */
export const declareCommit: Declare = (program, execute) => {
  program
    .command('commit [selectors...]')
    .summary('take data that is kept by hand into the store and the lock')
    .description(
      'Take data that is kept by hand from the workspace into the store and the lock. It needs no message: sluice-lock.json is committed with git next.',
    )
    .option(
      '--force',
      'take what lies there as the result of a stage that has a command, or for all of a dataset of which a part is in place',
    )
    .addHelpText('after', examples('sluice commit', 'sluice commit people:raw', 'sluice commit --force model:train'))
    .action(async (select: string[], options: { readonly force?: boolean }) =>
      execute(async (engine) => {
        const report = await engine.commit({ select, ...options });
        const { commitText } = await import('../render/commit.js');
        return { json: report, text: commitText(report) };
      }),
    );
};
