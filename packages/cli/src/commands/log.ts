import type { LogOptions } from '@sluice/engine';
import { type Declare, examples } from '../command.js';
import { collect, parseCount } from './parse.js';

interface LogCommandOptions extends Omit<LogOptions, 'select' | 'revs' | 'remotes'> {
  readonly rev?: readonly string[];
  readonly remote?: string | true;
  readonly graph?: boolean;
}

/** `sluice log` */
export const declareLog: Declare = (program, execute) => {
  program
    .command('log [selectors...]')
    .summary('show the commits that changed data')
    .description(
      'Show the git commits that changed outs, newest first: files and bytes, what changed, who committed it and which run made it, and the branches that have it. A pattern leaves the commits that changed a file of it.',
    )
    .option('--graph', 'draw how the commits follow each other')
    .option('--stat', 'count files that were added, deleted, modified and renamed')
    .option('-n, --num <n>', 'the newest n commits', parseCount)
    .option('--rev <rev>', 'from this revision back, not from HEAD; can be given again', collect)
    .option('--all-branches', 'from the tips of all branches')
    .option('--all-tags', 'from all tags')
    .option('--all-commits', 'from every ref')
    .option('--remote [name]', 'also ask the remote of each out, or this one, whether it holds each version')
    .addHelpText(
      'after',
      examples(
        'sluice log people:raw --stat',
        'sluice log people:raw --graph --all-branches',
        "sluice log 'people:raw#1999/**' -n 5",
      ),
    )
    .action(async (select: string[], { graph, rev, remote, ...options }: LogCommandOptions) =>
      execute(async (engine, { globals }) => {
        const report = await engine.log({
          select,
          ...options,
          ...(rev === undefined ? {} : { revs: rev }),
          ...(remote === undefined ? {} : { remotes: remote === true ? 'own' : [remote] }),
        });
        const { logText } = await import('../render/log.js');
        return { json: report, text: logText(report, { graph: graph === true, verbose: globals.verbose === true }) };
      }),
    );
};
