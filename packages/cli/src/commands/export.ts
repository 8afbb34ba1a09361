import { resolve } from 'node:path';
import { type BucketSettings, SluiceError } from '@sluice/engine';
import { type Declare, examples } from '../command.js';
import { splitBucketOptions, withBucketOptions, withKeepingOptions } from './bucket-options.js';

interface ExportFlags extends BucketSettings {
  readonly tar?: string;
  readonly rev?: string;
  readonly remote?: string;
  readonly force?: boolean;
}

/** `sluice export` */
export const declareExport: Declare = (program, execute) => {
  const command = program
    .command('export <selectors...>')
    .summary('write data as plain files elsewhere, into a bucket, or into a tar file')
    .description(
      'Write what the locks name as plain files into a directory or to s3://bucket/prefix, the last argument, or with --tar into one file. A single out fills the directory itself; several lie below their paths in the workspace. What is there with the right bytes is not written again.',
    )
    .option('--tar <file>', 'into this tar file instead of a directory')
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--remote <name>', 'bring what is not here from this remote')
    .option('--force', 'replace files that are there with other bytes');
  withKeepingOptions(withBucketOptions(command))
    .addHelpText(
      'after',
      examples(
        'sluice export people:raw ../delivery',
        'sluice export people:raw s3://deliveries/people/2026-05',
        "sluice export --rev v1.0 --tar raw.tar 'people:raw#1999/**'",
      ),
    )
    .action(async (args: string[], { tar, ...flags }: ExportFlags) =>
      execute(async (engine, { cwd }) => {
        const to = tar ?? args.at(-1) ?? '';
        const select = tar === undefined ? args.slice(0, -1) : args;
        if (select.length === 0) {
          throw new SluiceError('ERR_USAGE', 'what to export and a directory are needed', {
            hint: 'For example: sluice export people:raw ../delivery',
          });
        }
        const { s3, others } = splitBucketOptions(flags);
        const place = /^s3:/i.test(to) && tar === undefined ? to : resolve(cwd, to);
        const report = await engine.exportData({ select, to: place, tar: tar !== undefined, ...s3, ...others });
        const { exportText } = await import('../render/export.js');
        return { json: report, text: exportText(report) };
      }),
    );
};
