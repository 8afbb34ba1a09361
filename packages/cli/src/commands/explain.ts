import type { Command } from 'commander';
import { explainText } from '../render/reports.js';
import type { Execute } from '../session.js';

/** `sluice explain` */
export function declareExplain(program: Command, execute: Execute): void {
  program
    .command('explain <selector>')
    .description('say why a stage would run or not: each part of its fingerprint before and after')
    .addHelpText('after', '\nExamples:\n  $ sluice explain model:train\n')
    .action(async (selector: string) =>
      execute(async (engine) => {
        const report = await engine.explain(selector);
        return { json: report, text: explainText(report) };
      }),
    );
}
