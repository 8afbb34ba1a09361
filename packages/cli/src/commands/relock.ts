import { type Declare, examples } from '../command.js';

/** `sluice relock` */
export const declareRelock: Declare = (program, execute) => {
  program
    .command('relock [selectors...]')
    .summary('write what records know for the present inputs into the locks')
    .description(
      'Write into the locks what records, of this store or a remote, know for the present inputs. Outs stay where they are, and no data is moved. ' +
        'A stage with an out in place that is not the result is left: `nx run` restores it.',
    )
    .option('--exit-code', 'exit with 1 if any stage is left')
    .addHelpText('after', examples('sluice relock', 'sluice relock model --exit-code'))
    .action(async (select: string[], { exitCode }: { readonly exitCode?: boolean }) =>
      execute(async (engine) => {
        const report = await engine.relock({ select });
        const { relockText } = await import('../render/relock.js');
        const isWhole = report.stages.every(({ outcome }) => outcome !== 'left');
        return { json: report, text: relockText(report), exitCode: exitCode === true && !isWhole ? 1 : 0 };
      }),
    );
};
