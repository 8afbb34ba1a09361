import { resolve } from 'node:path';
import { type BucketSettings, SluiceError } from '@sluice/engine';
import type { Command } from 'commander';
import { type Declare, type Execute, examples } from '../command.js';
import { splitBucketOptions, withBucketOptions } from './bucket-options.js';

interface UrlFlags extends BucketSettings {
  readonly update?: boolean;
}

/** `sluice import zip`, `tar` and `url` */
export const declareImport: Declare = (program, execute) => {
  const group = program
    .command('import')
    .summary('bring an archive or a URL in as the new version of a dataset')
    .description(
      'Bring an archive or the file at a URL in as the new version of a dataset that is kept by hand, and commit it. The version that was there stays in the store.',
    );
  declareArchive(group, execute, 'zip', 'images.zip');
  declareArchive(group, execute, 'tar', 'images.tar.gz');
  const command = group
    .command('url [url] [selectors...]')
    .summary('the file at an http or https address, or an object of S3')
    .description(
      'Make the file at an http or https address, or an object in a bucket (s3://bucket/key), the new version of a dataset that is one file. Where it came from is noted in sluice-imports.json beside the lock.',
    )
    .option('--update', 'ask again where the selected datasets came from, and receive what has changed');
  withBucketOptions(command)
    .addHelpText(
      'after',
      examples(
        'sluice import url https://example.org/cities.csv geo:cities',
        'sluice import url s3://open-data/cities.csv geo:cities --anonymous --region eu-west-1',
        'sluice import url --update',
      ),
    )
    .action(async (url: string | undefined, select: string[], { update, ...settings }: UrlFlags) =>
      execute(async (engine) => {
        const { importText } = await import('../render/import.js');
        const { s3 } = splitBucketOptions(settings);
        if (update === true) {
          if (s3.s3 !== undefined) {
            throw new SluiceError('ERR_USAGE', 'an update asks where each dataset came from, as it was asked then', {
              hint: 'To change how a bucket is asked, import its object again with its address.',
            });
          }
          const imports = await engine.updateImports({ select: url === undefined ? select : [url, ...select] });
          return { json: { imports }, text: importText(imports) };
        }
        if (url === undefined || select.length === 0) {
          throw new SluiceError('ERR_USAGE', 'an address and a dataset are needed', {
            hint: 'For example: sluice import url https://example.org/cities.csv geo:cities',
          });
        }
        const report = await engine.importUrl({ url, select, ...s3 });
        return { json: { imports: [report] }, text: importText([report]) };
      }),
    );
};

function declareArchive(group: Command, execute: Execute, kind: 'zip' | 'tar', example: string): void {
  group
    .command(`${kind} <file> <selectors...>`)
    .summary(kind === 'zip' ? 'the files of a zip archive' : 'the files of a tar archive, plain or gzipped')
    .description(
      'Make the files of an archive the new version of a dataset, and commit it. Names that lead elsewhere, links and archives that unpack to far more than they hold are refused.',
    )
    .addHelpText('after', examples(`sluice import ${kind} ${example} people:raw`))
    .action(async (file: string, select: string[]) =>
      execute(async (engine, { cwd }) => {
        const report = await engine.importArchive({ kind, from: resolve(cwd, file), select });
        const { importText } = await import('../render/import.js');
        return { json: { imports: [report] }, text: importText([report]) };
      }),
    );
}
