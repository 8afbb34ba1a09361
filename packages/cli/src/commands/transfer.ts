import type { FetchOptions } from '@sluice/engine';
import type { Command } from 'commander';
import { fetchText, pullText } from '../render/reports.js';
import type { Execute } from '../session.js';
import { parseBytes } from './parse.js';

type Options = Omit<FetchOptions, 'select'> & { readonly force?: boolean };

/** `sluice fetch` */
export function declareFetch(program: Command, execute: Execute): void {
  withOptions(program.command('fetch [selectors...]'), 'bring data from a remote into the store')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice fetch\n  $ sluice fetch --history people:raw\n  $ sluice fetch --max-bytes 500MB\n',
    )
    .action(async (select: string[], options: Options) =>
      execute(async (engine) => {
        const report = await engine.fetch({ select, ...options });
        return { json: report, text: fetchText(report) };
      }),
    );
}

/** `sluice pull` */
export function declarePull(program: Command, execute: Execute): void {
  withOptions(program.command('pull [selectors...]'), 'bring data from a remote into the store and the workspace')
    .option('--force', 'replace changes that are committed nowhere; a copy stays in the store')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice pull\n  $ sluice pull --rev v1.0 people\n  $ sluice pull people:raw#1999/*.jpg\n',
    )
    .action(async (select: string[], options: Options) =>
      execute(async (engine) => {
        const report = await engine.pull({ select, ...options });
        return { json: report, text: pullText(report) };
      }),
    );
}

function withOptions(command: Command, description: string): Command {
  return command
    .description(description)
    .option('--remote <name>', 'from this remote')
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--history', 'every version that the history names')
    .option('--max-bytes <size>', 'stop before this much has come, such as 500MB', parseBytes);
}
