import type { Command } from 'commander';
import { gcText } from '../render/reports.js';
import type { Execute } from '../session.js';
import { type HistoryOptions, scopeOf, withRecentHistory } from './history.js';
import { parseAge } from './parse.js';

interface Options extends HistoryOptions {
  readonly workspace?: boolean;
  readonly records?: number;
  readonly allowUnpushed?: boolean;
  readonly forgetWorkspace?: string;
  readonly dryRun?: boolean;
  readonly explain?: string;
}

/** `sluice gc` */
export function declareGc(program: Command, execute: Execute): void {
  withRecentHistory(program.command('gc'))
    .description('drop from the store what nothing refers to')
    .option('--workspace', 'what the locks of the workspaces name (always counts, and is the default)')
    .option('--records <age>', 'also results that were made within this time, such as 14d', parseAge)
    .option('--allow-unpushed', 'also drop what no remote is known to hold')
    .option('--forget-workspace <path>', 'take a workspace that is gone off the list of the store')
    .option('--dry-run', 'only say what would be dropped')
    .option('--explain <digest-or-path>', 'say what keeps this object, and drop nothing')
    .addHelpText(
      'after',
      '\nThe scopes add up.\n\nExamples:\n  $ sluice gc\n  $ sluice gc --all-branches --records 14d --dry-run\n  $ sluice gc --explain data/raw/1.jpg\n',
    )
    .action(async (options: Options) =>
      execute(async (engine) => {
        const { records, allowUnpushed, forgetWorkspace, dryRun, explain } = options;
        const chosen = {
          ...scopeOf(options),
          ...(records === undefined ? {} : { recordsMs: records }),
          ...(allowUnpushed === undefined ? {} : { allowUnpushed }),
          ...(forgetWorkspace === undefined ? {} : { forgetWorkspace }),
          ...(dryRun === undefined ? {} : { dryRun }),
        };
        if (explain !== undefined) {
          const reasons = await engine.explainGc({ ...chosen, what: explain });
          const kept =
            reasons.keptBy.length === 0
              ? 'nothing keeps it: gc would drop it'
              : `kept by ${reasons.keptBy.join('\n        ')}`;
          return { json: reasons, text: `${reasons.digest}\n${kept}` };
        }
        const report = await engine.gc(chosen);
        return { json: report, text: gcText(report) };
      }),
    );
}
