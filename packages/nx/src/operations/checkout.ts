import { checkoutText } from '../sentences.js';
import type { Operation } from './operation.js';
import { type CheckoutOptions, selectOf } from './options.js';

/** Makes outs be what the lock, or the lock of a revision, says. */
export const checkout: Operation<CheckoutOptions> = async (engine, options, { project }) => {
  const report = await engine.checkout({ ...options, select: selectOf(options, project) });
  return { text: checkoutText(report), success: true };
};
