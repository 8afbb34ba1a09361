import type { LinkKind } from '@sluice/engine';
import { Option } from 'commander';
import { type Declare, examples } from '../command.js';

const LINK_KINDS: readonly LinkKind[] = ['reflink', 'copy', 'hardlink'];

interface CheckoutOptions {
  readonly rev?: string;
  readonly force?: boolean;
  readonly link?: LinkKind;
  readonly kept?: string;
}

/** `sluice checkout` */
export const declareCheckout: Declare = (program, execute) => {
  program
    .command('checkout [selectors...]')
    .summary('make the workspace be what the lock says')
    .description(
      'Make the outs in the workspace be what the lock says, from the store. What is not in the store is left reference-only: sluice pull brings it.',
    )
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--force', 'replace changes that are committed nowhere; a copy stays in the store')
    .addOption(
      new Option('--link <kind>', 'how files are made (hardlink: only for outs with mutability strict)').choices(
        LINK_KINDS,
      ),
    )
    .option('--kept <digest>', 'put back what was kept aside under this digest')
    .addHelpText(
      'after',
      examples('sluice checkout', 'sluice checkout --rev HEAD~1 people:raw', "sluice checkout 'people:raw#1999/*.jpg'"),
    )
    .action(async (select: string[], { kept, ...options }: CheckoutOptions) =>
      execute(async (engine, { globals }) => {
        const report =
          kept === undefined
            ? await engine.checkout({ select, ...options, strict: globals.strict ?? false })
            : await engine.checkoutKept(kept);
        const { checkoutText } = await import('../render/checkout.js');
        return { json: report, text: checkoutText(report) };
      }),
    );
};
