import { type Declare, examples } from '../command.js';
import { type HistoryOptions, scopeOf, withHistory } from './history.js';
import { parseNames } from './parse.js';

interface PushOptions extends HistoryOptions {
  readonly remote?: readonly string[];
  readonly dryRun?: boolean;
  readonly verify?: boolean;
}

/** `sluice push` */
export const declarePush: Declare = (program, execute) => {
  withHistory(program.command('push [selectors...]'))
    .summary('send what the locks name to a remote')
    .description('Send what the locks name, and the remote lacks, from the store to a remote.')
    .option('--remote <names>', 'all to this remote, or to each of these (a,b)', parseNames)
    .option('--dry-run', 'only say what would be sent')
    .option('--verify', 'look whether the remote still has all that it said to have, and send what it lost')
    .addHelpText(
      'after',
      examples(
        'sluice push',
        'sluice push --all-commits',
        'sluice push --remote near,far',
        'sluice push --dry-run people',
      ),
    )
    .action(async (select: string[], options: PushOptions) =>
      execute(async (engine, { globals }) => {
        const { remote, dryRun, verify } = options;
        const report = await engine.push({
          select,
          ...scopeOf(options),
          ...(remote === undefined ? {} : { remotes: remote }),
          ...(dryRun === undefined ? {} : { dryRun }),
          ...(verify === undefined ? {} : { verify }),
        });
        const [{ pushFailure }, { pushText }] = await Promise.all([
          import('@sluice/engine'),
          import('../render/push.js'),
        ]);
        return { json: report, text: pushText(report, globals.verbose === true), failure: pushFailure(report) };
      }),
    );
};
