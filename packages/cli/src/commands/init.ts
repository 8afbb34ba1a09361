import type { Command } from 'commander';
import type { Execute } from '../session.js';

/** `sluice init` */
export function declareInit(program: Command, execute: Execute): void {
  program
    .command('init')
    .description('prepare the workspace: sluice.json and the lines in .gitignore and .nxignore; twice is once')
    .option('--remote <url>', 'also add a remote named origin, such as file:///mnt/share/data')
    .addHelpText('after', '\nExamples:\n  $ sluice init\n  $ sluice init --remote file:../data-remote\n')
    .action(async (options: { remote?: string }) =>
      execute(async (engine) => {
        const report = await engine.init(options);
        const text = report.written.length === 0 ? 'everything is there already' : `wrote ${report.written.join(', ')}`;
        return { json: report, text };
      }),
    );
}
