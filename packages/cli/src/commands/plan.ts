import { type Declare, examples } from '../command.js';
import { parseCount } from './parse.js';

interface PlanCommandOptions {
  readonly matrix?: boolean;
  readonly maxLevels?: number;
  readonly shards?: number;
}

/** `sluice plan` */
export const declarePlan: Declare = (program, execute) => {
  program
    .command('plan [selectors...]')
    .summary('say what would be done, and how several machines share it')
    .description(
      'Say what would be done to bring stages and what they read up to date, and how several machines share it. Runs nothing and moves no data.\n\n' +
        'run: has to run. may run: what it reads will be made anew. restore: the result for these inputs is known. left: only a machine that has everything before it can run it.',
    )
    .option('--matrix', 'print the levels as job matrices, level-N=JSON on a line each')
    .option('--max-levels <n>', 'as many levels at most (4)', parseCount)
    .option('--shards <n>', 'as many entries in a level at most (256)', parseCount)
    .addHelpText(
      'after',
      examples(
        'sluice plan',
        'sluice plan model:train --json',
        'sluice plan --matrix --max-levels 2 --shards 8 >> "$GITHUB_OUTPUT"',
      ),
    )
    .action(async (select: string[], { matrix, maxLevels, shards }: PlanCommandOptions) =>
      execute(async (engine, { globals }) => {
        const report = await engine.plan({
          select,
          ...(maxLevels === undefined ? {} : { maxLevels }),
          ...(shards === undefined ? {} : { shards }),
        });
        const { matrixLines, planText } = await import('../render/plan.js');
        const text = matrix === true ? matrixLines(report).join('\n') : planText(report, globals.verbose === true);
        return { json: report, text };
      }),
    );
};
