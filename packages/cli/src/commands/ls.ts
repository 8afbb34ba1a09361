import type { LsOptions } from '@sluice/engine';
import { type Declare, examples } from '../command.js';

interface Options extends Omit<LsOptions, 'select'> {
  readonly nul?: boolean;
}

/** `sluice ls` */
export const declareLs: Declare = (program, execute) => {
  program
    .command('ls [selectors...]')
    .summary('list the files of a version, with sizes')
    .description(
      'List what the locks name: directories, files and sizes, from trees alone. No data moves; trees that the store lacks come from the remote. A star marks what is in the store.',
    )
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--local', 'only files that are in the store; asks no remote')
    .option('-z, --nul', 'print only the paths of files, as they are, each ended by a NUL')
    .addHelpText(
      'after',
      examples('sluice ls people:raw', "sluice ls --rev v1.0 'people:raw#1999/**'", 'sluice ls --local'),
    )
    .action(async (select: string[], { nul, ...options }: Options) =>
      execute(async (engine) => {
        const report = await engine.ls({ select, ...options });
        const { listedPaths, lsText } = await import('../render/ls.js');
        const { nulEnded } = await import('../pour.js');
        if (nul === true) return { json: report, text: '', stream: nulEnded(listedPaths(report)) };
        return { json: report, text: lsText(report) };
      }),
    );
};
