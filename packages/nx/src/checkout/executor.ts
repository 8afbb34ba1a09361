import type { ExecutorContext } from '../nx-context.js';
import type { CheckoutOptions } from '../operations/options.js';

/** Executor `@sluice/nx:checkout`: makes outs be what the locks say. Never throws: a failure is printed with its code. */
export default async function checkoutExecutor(
  options: CheckoutOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const [{ runOperation }, { checkout }] = await Promise.all([
    import('../operations/operation.js'),
    import('../operations/checkout.js'),
  ]);
  return await runOperation(checkout, options, context);
}
