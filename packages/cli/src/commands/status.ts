import type { Command } from 'commander';
import { statusText } from '../render/status.js';
import type { Execute } from '../session.js';

/** `sluice status` */
export function declareStatus(program: Command, execute: Execute): void {
  program
    .command('status [selectors...]')
    .description('say of each stage and out what state it is in, and why')
    .option('--remote [name]', 'also ask a remote (the default one, or the one named)')
    .option('--exit-code', 'exit with 1 if anything is not unchanged')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice status\n  $ sluice status train --remote\n  $ sluice status people:raw --json\n',
    )
    .action(async (select: string[], options: { remote?: string | true; exitCode?: boolean }) =>
      execute(async (engine) => {
        const remotes = options.remote === true ? 'default' : options.remote === undefined ? [] : [options.remote];
        const report = await engine.status({ select, remotes });
        const dirty = report.stages.some(({ state }) => state !== 'unchanged');
        return { json: report, text: statusText(report), exitCode: options.exitCode === true && dirty ? 1 : 0 };
      }),
    );
}
