import { type Declare, examples } from '../command.js';

/** `sluice store` */
export const declareStore: Declare = (program, execute) => {
  const store = program.command('store').summary('look at the store').description('Look at the store.');
  store
    .command('stat')
    .summary('count what the store holds')
    .description('Count what the store holds.')
    .addHelpText('after', examples('sluice store stat'))
    .action(async () =>
      execute(async (engine) => {
        const { path, ...stat } = await engine.storeStat();
        const { storeStatText } = await import('../render/store.js');
        return { json: stat, text: storeStatText({ path, ...stat }) };
      }),
    );
  store
    .command('path')
    .summary('print where the store is')
    .description('Print where the store is.')
    .addHelpText('after', examples('du -sh "$(sluice store path)"'))
    .action(async () =>
      execute(async (engine) => {
        const { path } = await engine.storeStat();
        return { json: { path }, text: path };
      }),
    );
};
