import { Option } from 'commander';
import { type Declare, examples } from '../command.js';

interface DiffCommandOptions {
  readonly content?: boolean;
  readonly full?: boolean;
  readonly md?: boolean;
  readonly nul?: boolean;
}

/** `sluice diff` */
export const declareDiff: Declare = (program, execute) => {
  program
    .command('diff [versions...]')
    .summary('compare two versions of data, file by file')
    .description(
      'Compare two states of data: workspace, lock (what the locks in the workspace say), or a git revision; A..B works too. Without any, HEAD and workspace; with one, that and workspace. ' +
        'Words that name a project or a stage are selectors. Only trees are read; what is reference-only counts as the lock says.',
    )
    .option('--full', 'list every file, and do not fold directories')
    .option('--content', 'compare the contents of small text, CSV and JSON files, too')
    .addOption(new Option('--md', 'print Markdown, for a pull request').conflicts('nul'))
    .option('-z, --nul', 'print a letter and the paths of each change, as they are, each ended by a NUL')
    .addHelpText(
      'after',
      examples(
        'sluice diff',
        'sluice diff HEAD~1 people:raw',
        'sluice diff main..HEAD --md',
        'sluice diff v1.0 lock --full --content',
      ),
    )
    .action(async (words: string[], { content, full, md, nul }: DiffCommandOptions) =>
      execute(async (engine, { globals }) => {
        const { sides, select } = splitWords(words, (word) => engine.isSelector(word));
        const [before, after, ...others] = sides;
        if (others.length > 0) {
          const { SluiceError } = await import('@sluice/engine');
          throw new SluiceError('ERR_USAGE', `two states can be compared, not ${sides.length}: ${sides.join(', ')}`, {
            hint: 'Name workspace, lock or a revision, and stages as project:target.',
          });
        }
        const report = await engine.diff({
          select,
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
          ...(content === undefined ? {} : { content }),
        });
        if (nul === true) {
          const { changedPaths } = await import('../render/diff.js');
          const { nulEnded } = await import('../pour.js');
          return { json: report, text: '', stream: nulEnded(changedPaths(report)) };
        }
        if (md === true) {
          const { diffMarkdown } = await import('@sluice/engine');
          return { json: report, text: diffMarkdown(report) };
        }
        const { diffText } = await import('../render/diff.js');
        return { json: report, text: diffText(report, full === true || globals.verbose === true) };
      }),
    );
};

function splitWords(
  words: readonly string[],
  isSelector: (word: string) => boolean,
): { readonly sides: readonly string[]; readonly select: string[] } {
  const select = words.filter(isSelector);
  const sides = words
    .filter((word) => !isSelector(word))
    .flatMap((word) => {
      const [, before, after] = /^(.*[^.])\.\.([^.].*)$/.exec(word) ?? [];
      return before === undefined || after === undefined ? [word] : [before, after];
    });
  return { sides, select };
}
