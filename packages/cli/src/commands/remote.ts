import type { RemoteReport } from '@sluice/engine';
import type { Command } from 'commander';
import type { Execute } from '../session.js';

interface AddOptions {
  readonly endpoint?: string;
  readonly region?: string;
  readonly forcePathStyle?: boolean;
}

/** `sluice remote` */
export function declareRemote(program: Command, execute: Execute): void {
  const remote = program.command('remote').description('add, list, choose and test remotes');
  remote
    .command('add <name> <url>')
    .description('add a remote; the first one is the default')
    .option('--endpoint <url>', 'where an S3-compatible service answers')
    .option('--region <name>', 'the region of a bucket')
    .option('--force-path-style', 'put the bucket into the path')
    .addHelpText('after', '\nExamples:\n  $ sluice remote add share file:///mnt/share/data\n')
    .action(async (name: string, url: string, options: AddOptions) =>
      execute(async (engine) => {
        await engine.addRemote({ name, url, ...options });
        const remotes = engine.remotes();
        const isDefault = remotes.some((entry) => entry.name === name && entry.default);
        return { json: { remotes }, text: `added ${name}${isDefault ? ', the default remote' : ''}` };
      }),
    );
  remote
    .command('list')
    .description('list the remotes')
    .action(async () =>
      execute(async (engine) => {
        const remotes = engine.remotes();
        return {
          json: { remotes },
          text:
            remotes.length === 0 ? 'no remotes; add one with sluice remote add NAME URL' : remotes.map(line).join('\n'),
        };
      }),
    );
  remote
    .command('remove <name>')
    .description('forget a remote; what lies there stays')
    .action(async (name: string) =>
      execute(async (engine) => {
        await engine.removeRemote(name);
        return { json: { remotes: engine.remotes() }, text: `removed ${name}` };
      }),
    );
  remote
    .command('default <name>')
    .description('choose the default remote')
    .action(async (name: string) =>
      execute(async (engine) => {
        await engine.setDefaultRemote(name);
        return { json: { remotes: engine.remotes() }, text: `${name} is the default remote` };
      }),
    );
  remote
    .command('ping [name]')
    .description('see whether a remote answers')
    .action(async (name: string | undefined) =>
      execute(async (engine) => {
        const answer = await engine.pingRemote(name);
        return { json: answer, text: `${answer.remote} answered in ${answer.ms} ms` };
      }),
    );
}

function line({ name, url, default: isDefault, readOnly }: RemoteReport): string {
  return `${isDefault ? '*' : ' '} ${name}  ${url}${readOnly ? '  (read-only)' : ''}`;
}
