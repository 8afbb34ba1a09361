import type { ByteRangeOption } from '@sluice/engine';
import { type Declare, examples } from '../command.js';
import { parseRange } from './parse.js';

interface CatCommandOptions {
  readonly rev?: string;
  readonly range?: ByteRangeOption;
}

/** `sluice cat` */
export const declareCat: Declare = (program, execute) => {
  program
    .command('cat <selector>')
    .summary('print a file of a version, from the store or a remote')
    .description(
      'Print the bytes of one file, each checked before it is printed. What is not in the store is read from the remote, no more than is printed, and stays there. Of a link, its target is printed. With --json, the file is described and not read.',
    )
    .option('--rev <rev>', 'the version that the lock of this git revision names')
    .option(
      '--range <range>',
      'only these bytes: first-last, counted from 0; first- to the end; -n for the last n',
      parseRange,
    )
    .addHelpText(
      'after',
      examples(
        "sluice cat 'people:raw#1999/1.jpg' > 1.jpg",
        "sluice cat --rev v1.0 'people:raw#table.csv' | head",
        "sluice cat --range 0-1048575 'people:raw#large.bin'",
      ),
    )
    .action(async (select: string, options: CatCommandOptions) =>
      execute(async (engine) => {
        const { chunks, ...file } = await engine.cat({ select, ...options });
        return { json: file, text: '', stream: chunks };
      }),
    );
};
