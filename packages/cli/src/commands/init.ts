import { type Declare, examples } from '../command.js';

/** `sluice init` */
export const declareInit: Declare = (program, execute) => {
  program
    .command('init')
    .summary('prepare the workspace')
    .description(
      'Write sluice.json, the lines in .gitignore, .gitattributes and .nxignore, the plugin in nx.json, and tell git in this clone how locks are merged. What is there already stays.',
    )
    .option('--remote <url>', 'also add a remote named origin')
    .option('--hooks', "also write git's hooks: data follows branches, and is pushed before its locks")
    .addHelpText('after', examples('sluice init', 'sluice init --remote file:///mnt/share/data', 'sluice init --hooks'))
    .action(async (options: { readonly remote?: string; readonly hooks?: boolean }) =>
      execute(async (engine) => {
        const report = await engine.init(options);
        const { initText } = await import('../render/init.js');
        return { json: report, text: initText(report) };
      }),
    );
};
