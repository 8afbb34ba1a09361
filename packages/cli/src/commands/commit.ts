import type { Command } from 'commander';
import { commitText } from '../render/reports.js';
import type { Execute } from '../session.js';

/** `sluice commit` */
export function declareCommit(program: Command, execute: Execute): void {
  program
    .command('commit [selectors...]')
    .description('take data that is kept by hand from the workspace into the store and the lock')
    .option('--force', 'take what lies there as the result of a stage that has a command')
    .addHelpText(
      'after',
      '\nThe message is that of your git commit: commit sluice-lock.json next.\n\nExamples:\n  $ sluice commit\n  $ sluice commit people:raw\n  $ sluice commit --force model:train\n',
    )
    .action(async (select: string[], options: { force?: boolean }) =>
      execute(async (engine) => {
        const report = await engine.commit({ select, ...options });
        return { json: report, text: commitText(report) };
      }),
    );
}
