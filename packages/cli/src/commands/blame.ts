import { type Declare, examples } from '../command.js';

interface Options {
  readonly rev?: string;
}

/** `sluice blame` */
export const declareBlame: Declare = (program, execute) => {
  program
    .command('blame <selectors...>')
    .summary('name the commit that last changed each file')
    .description('Name the git commit that last changed each file, from trees alone. Renames are not followed.')
    .option('--rev <rev>', 'the files as the lock of this git revision has them')
    .addHelpText('after', examples("sluice blame 'people:raw#1999/*.jpg'", 'sluice blame --rev v1.0 people:raw'))
    .action(async (select: string[], options: Options) =>
      execute(async (engine) => {
        const report = await engine.blame({ select, ...options });
        const { blameText } = await import('../render/blame.js');
        return { json: report, text: blameText(report) };
      }),
    );
};
