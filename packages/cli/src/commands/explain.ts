import { type Declare, examples } from '../command.js';

/** `sluice explain` */
export const declareExplain: Declare = (program, execute) => {
  program
    .command('explain <selector>')
    .summary('say why a stage would run or not')
    .description('Say why a stage would run or not: each part of its fingerprint before and after.')
    .addHelpText('after', examples('sluice explain model:train', 'sluice explain model:train --verbose'))
    .action(async (selector: string) =>
      execute(async (engine, { globals }) => {
        const report = await engine.explain(selector);
        const { explainText } = await import('../render/explain.js');
        return { json: report, text: explainText(report, globals.verbose === true) };
      }),
    );
};
