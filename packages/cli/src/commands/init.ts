import { type Declare, examples } from '../command.js';

/** `sluice init` */
export const declareInit: Declare = (program, execute) => {
  program
    .command('init')
    .summary('prepare the workspace')
    .description(
      'Write sluice.json, the lines in .gitignore and .nxignore, and the plugin in nx.json. What is there already stays.',
    )
    .option('--remote <url>', 'also add a remote named origin')
    .addHelpText('after', examples('sluice init', 'sluice init --remote file:///mnt/share/data'))
    .action(async (options: { readonly remote?: string }) =>
      execute(async (engine) => {
        const report = await engine.init(options);
        const { initText } = await import('../render/init.js');
        return { json: report, text: initText(report) };
      }),
    );
};
