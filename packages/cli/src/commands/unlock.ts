import { type Declare, examples } from '../command.js';
import { workspacePath } from './paths.js';

/** `sluice unlock` */
export const declareUnlock: Declare = (program, execute) => {
  program
    .command('unlock <files...>')
    .summary('make files of an out writable, apart from the store')
    .description(
      'Make files of an out private and writable: a file that is read-only, or that shares its bytes with the store, is replaced by a copy. Files of append-only outs stay as they are.',
    )
    .addHelpText('after', examples('sluice unlock people/raw/1.jpg', 'sluice unlock people/raw/*.jpg'))
    .action(async (files: string[]) =>
      execute(async (engine, call) => {
        const report = await engine.unlock({ paths: files.map((file) => workspacePath(file, engine.root, call)) });
        const { unlockText } = await import('../render/unlock.js');
        return { json: report, text: unlockText(report) };
      }),
    );
};
