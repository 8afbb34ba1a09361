import type { Engine } from '@sluice/engine';
import type { Command } from 'commander';
import { type Declare, type Execute, examples } from '../command.js';

interface AddOptions {
  readonly endpoint?: string;
  readonly region?: string;
  readonly forcePathStyle?: boolean;
}

/** `sluice remote` */
export const declareRemote: Declare = (program, execute) => {
  const remote = program
    .command('remote')
    .summary('add, list, choose and test remotes')
    .description('Add, list, choose and test the remotes in sluice.json. Credentials do not go there.');
  declareAdd(remote, execute);
  declareList(remote, execute);
  declareRemove(remote, execute);
  declareDefault(remote, execute);
  declarePing(remote, execute);
  declareStat(remote, execute);
};

function declareAdd(remote: Command, execute: Execute): void {
  remote
    .command('add <name> <url>')
    .summary('add a remote')
    .description('Add a remote. The first one is the default.')
    .option('--endpoint <url>', 'where an S3-compatible service answers')
    .option('--region <name>', 'the region of a bucket')
    .option('--force-path-style', 'put the name of the bucket into the path')
    .addHelpText(
      'after',
      examples('sluice remote add share file:///mnt/share/data', 'sluice remote add near file:../data'),
    )
    .action(async (name: string, url: string, options: AddOptions) =>
      execute(async (engine) => {
        await engine.addRemote({ name, url, ...options });
        const isDefault = engine.remotes().some((known) => known.name === name && known.default);
        return { json: remotesOf(engine), text: `added ${name}${isDefault ? ', the default remote' : ''}` };
      }),
    );
}

function declareList(remote: Command, execute: Execute): void {
  remote
    .command('list')
    .summary('list the remotes')
    .description('List the remotes.')
    .addHelpText('after', examples('sluice remote list'))
    .action(async () =>
      execute(async (engine) => {
        const { remotesText } = await import('../render/remotes.js');
        return { json: remotesOf(engine), text: remotesText(engine.remotes()) };
      }),
    );
}

function declareRemove(remote: Command, execute: Execute): void {
  remote
    .command('remove <name>')
    .summary('forget a remote')
    .description('Forget a remote. What lies there stays.')
    .addHelpText('after', examples('sluice remote remove share'))
    .action(async (name: string) =>
      execute(async (engine) => {
        await engine.removeRemote(name);
        return { json: remotesOf(engine), text: `removed ${name}; what lies there stays` };
      }),
    );
}

function declareDefault(remote: Command, execute: Execute): void {
  remote
    .command('default <name>')
    .summary('choose the default remote')
    .description('Choose the default remote.')
    .addHelpText('after', examples('sluice remote default share'))
    .action(async (name: string) =>
      execute(async (engine) => {
        await engine.setDefaultRemote(name);
        return { json: remotesOf(engine), text: `${name} is the default remote` };
      }),
    );
}

function declarePing(remote: Command, execute: Execute): void {
  remote
    .command('ping [name]')
    .summary('see whether a remote answers')
    .description('See whether a remote answers: the default one, or this one. If not: exit code 3.')
    .addHelpText('after', examples('sluice remote ping', 'sluice remote ping share'))
    .action(async (name: string | undefined) =>
      execute(async (engine) => {
        const answer = await engine.pingRemote(name);
        const by = answer.proxy === null ? '' : ` through the proxy ${answer.proxy}`;
        return { json: answer, text: `${answer.remote} answered in ${answer.ms} ms${by}` };
      }),
    );
}

function declareStat(remote: Command, execute: Execute): void {
  remote
    .command('stat [name]')
    .summary('count what a remote holds')
    .description('List a remote, the default one or this one, and count what it holds and what its maps name of it.')
    .addHelpText('after', examples('sluice remote stat', 'sluice remote stat share'))
    .action(async (name: string | undefined) =>
      execute(async (engine) => {
        const stat = await engine.remoteStat(name);
        const { remoteStatText } = await import('../render/remote-stat.js');
        return { json: stat, text: remoteStatText(stat) };
      }),
    );
}

/** The document of every command that shows or changes the list. */
function remotesOf(engine: Engine): object {
  return { remotes: engine.remotes() };
}
