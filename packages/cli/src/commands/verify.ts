import { type Declare, examples } from '../command.js';

interface VerifyOptions {
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly remote?: string;
}

/** `sluice verify` */
export const declareVerify: Declare = (program, execute) => {
  program
    .command('verify')
    .summary('check the store, links to it and the workspace')
    .description('Check the store, links to it and the workspace. Findings that are not repaired: exit code 4.')
    .option('--deep', 'read and hash every byte')
    .option('--repair', 'get good copies of what is damaged, from the workspace or a remote')
    .option('--remote <name>', 'repair from this remote instead of those of the outs')
    .addHelpText('after', examples('sluice verify', 'sluice verify --deep --repair'))
    .action(async (options: VerifyOptions) =>
      execute(async (engine) => {
        const report = await engine.verify(options);
        const { verifyFailure, verifyText } = await import('../render/verify.js');
        return { json: report, text: verifyText(report), failure: verifyFailure(report, options.repair === true) };
      }),
    );
};
