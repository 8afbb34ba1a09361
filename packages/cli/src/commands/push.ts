import type { Command } from 'commander';
import { pushText } from '../render/reports.js';
import type { Execute } from '../session.js';
import { type HistoryOptions, scopeOf, withHistory } from './history.js';

/** `sluice push` */
export function declarePush(program: Command, execute: Execute): void {
  withHistory(program.command('push [selectors...]'))
    .description('send what the locks name and the remote lacks')
    .option('--remote <name>', 'to this remote')
    .option('--dry-run', 'only say what would be sent')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice push\n  $ sluice push --all-commits\n  $ sluice push --dry-run people\n',
    )
    .action(async (select: string[], options: HistoryOptions & { remote?: string; dryRun?: boolean }) =>
      execute(async (engine) => {
        const { remote, dryRun } = options;
        const report = await engine.push({
          select,
          ...scopeOf(options),
          ...(remote === undefined ? {} : { remote }),
          ...(dryRun === undefined ? {} : { dryRun }),
        });
        return { json: report, text: pushText(report) };
      }),
    );
}
