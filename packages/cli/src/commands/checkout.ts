import type { LinkKind } from '@sluice/engine';
import { type Command, Option } from 'commander';
import { checkoutText } from '../render/reports.js';
import type { Execute } from '../session.js';

interface CheckoutOptions {
  readonly rev?: string;
  readonly force?: boolean;
  readonly link?: LinkKind;
  readonly kept?: string;
}

/** `sluice checkout` */
export function declareCheckout(program: Command, execute: Execute): void {
  program
    .command('checkout [selectors...]')
    .description('make the workspace be what the lock says, from the store')
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--force', 'replace changes that are committed nowhere; a copy stays in the store')
    .addOption(
      new Option('--link <kind>', 'how files are made (hardlink: only for outs with mutability strict)').choices([
        'reflink',
        'copy',
        'hardlink',
      ]),
    )
    .option('--kept <digest>', 'put back what was kept aside under this digest')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice checkout\n  $ sluice checkout --rev HEAD~1 people:raw\n  $ sluice checkout people:raw#1999/*.jpg\n',
    )
    .action(async (select: string[], { kept, ...options }: CheckoutOptions) =>
      execute(async (engine, globals) => {
        const report =
          kept === undefined
            ? await engine.checkout({ select, ...options, strict: globals.strict ?? false })
            : await engine.checkoutKept(kept);
        return { json: report, text: checkoutText(report) };
      }),
    );
}
