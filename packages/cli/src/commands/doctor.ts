import { type Declare, examples } from '../command.js';

/** `sluice doctor` */
export const declareDoctor: Declare = (program, execute) => {
  program
    .command('doctor')
    .summary('look for what makes Sluice fail or slow here')
    .description(
      'Look for what makes Sluice fail or slow in this workspace. Problems that are not repaired: exit code 2.',
    )
    .option('--fix', 'repair what is safe: lines in ignore files, sluice.json, the plugin in nx.json')
    .addHelpText('after', examples('sluice doctor', 'sluice doctor --fix'))
    .action(async (options: { readonly fix?: boolean }) =>
      execute(async (engine) => {
        const report = await engine.doctor(options);
        const { doctorFailure, doctorText } = await import('../render/doctor.js');
        return { json: report, text: doctorText(report), failure: doctorFailure(report, options.fix === true) };
      }),
    );
};
