import { type Declare, examples } from '../command.js';
import { parseNames } from './parse.js';

interface StatusOptions {
  readonly remote?: readonly string[] | true;
  readonly exitCode?: boolean;
}

/** `sluice status` */
export const declareStatus: Declare = (program, execute) => {
  program
    .command('status [selectors...]')
    .summary('say what state each stage and out is in, and why')
    .description(
      'Say what state each stage and out is in, and why. Changes nothing and moves no data.\n\n' +
        'unchanged: all is as the lock says. restorable: not so, but the result for these inputs is known. changed and new: the stage has to run, or its data to be committed.',
    )
    .option('--remote [names]', 'also ask the remote of each out, or these (a,b)', parseNames)
    .option('--exit-code', 'exit with 1 if any stage is not unchanged')
    .addHelpText(
      'after',
      examples('sluice status', 'sluice status people:raw --remote', 'sluice status --exit-code -q'),
    )
    .action(async (select: string[], { remote, exitCode }: StatusOptions) =>
      execute(async (engine, { globals }) => {
        const remotes = remote === true ? 'own' : (remote ?? []);
        const report = await engine.status({ select, remotes });
        const { statusText } = await import('../render/status.js');
        const isClean = report.stages.every(({ state }) => state === 'unchanged');
        return {
          json: report,
          text: statusText(report, globals.verbose === true),
          exitCode: exitCode === true && !isClean ? 1 : 0,
        };
      }),
    );
};
