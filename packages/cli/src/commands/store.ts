import type { Command } from 'commander';
import { storeStatText } from '../render/reports.js';
import type { Execute } from '../session.js';

/** `sluice store` */
export function declareStore(program: Command, execute: Execute): void {
  const store = program.command('store').description('look at the store');
  store
    .command('stat')
    .description('count what the store holds')
    .action(async () =>
      execute(async (engine) => {
        const { path, ...stat } = await engine.storeStat();
        return { json: stat, text: storeStatText({ path, ...stat }) };
      }),
    );
  store
    .command('path')
    .description('print where the store is')
    .action(async () =>
      execute(async (engine) => {
        const { path } = await engine.storeStat();
        return { json: { path }, text: path };
      }),
    );
}
