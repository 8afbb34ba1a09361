import { resolve } from 'node:path';
import { type Declare, examples } from '../command.js';

/** `sluice merge-driver` */
export const declareMergeDriver: Declare = (program, execute) => {
  program
    .command('merge-driver <base> <ours> <theirs> <path>', { hidden: true })
    .description(
      'Merge a lock for git, which sluice init tells about it: three versions of the lock, of which the second receives the result, and the path of the lock. Conflicts: exit code 1.',
    )
    .addHelpText('after', examples('sluice merge-driver %O %A %B %P'))
    .action(async (base: string, ours: string, theirs: string, path: string) =>
      execute(async (engine, { cwd }) => {
        const at = (file: string): string => resolve(cwd, file);
        const report = await engine.mergeLocks({ base: at(base), ours: at(ours), theirs: at(theirs), path: at(path) });
        const { mergeText } = await import('../render/merge.js');
        const isOpen = report.conflicts.length > 0 || report.markers === true;
        return { json: report, text: mergeText(report), exitCode: isOpen ? 1 : 0 };
      }),
    );
};
