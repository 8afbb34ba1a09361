import { SluiceError } from '@sluice/engine';
import type { Command } from 'commander';
import { verifyText } from '../render/reports.js';
import type { Execute } from '../session.js';

/** `sluice verify` */
export function declareVerify(program: Command, execute: Execute): void {
  program
    .command('verify')
    .description('check the store, the links to it and the workspace')
    .option('--deep', 'read and hash every byte')
    .option('--repair', 'set damaged objects aside and get them again, from the workspace or a remote')
    .option('--remote <name>', 'repair from this remote')
    .addHelpText('after', '\nExamples:\n  $ sluice verify\n  $ sluice verify --deep --repair\n')
    .action(async (options: { deep?: boolean; repair?: boolean; remote?: string }) =>
      execute(async (engine) => {
        const report = await engine.verify(options);
        const text = verifyText(report);
        if (report.findings.every(({ repaired }) => repaired)) return { json: report, text };
        throw new SluiceError('ERR_VERIFY_FAILED', text, {
          hint:
            options.repair === true
              ? 'What could not be repaired has to be made again.'
              : 'Run: sluice verify --deep --repair',
          details: { ...report },
        });
      }),
    );
}
