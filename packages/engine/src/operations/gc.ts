import { SluiceError } from '../errors.js';
import type { OperationContext } from './context.js';
import type { GcOptions } from './options.js';
import type { GcExplanation, GcReport } from './reports.js';

export async function collectGarbage(_context: OperationContext, _options: GcOptions): Promise<GcReport> {
  throw new SluiceError('ERR_INTERNAL', 'gc is not there yet');
}

export async function explainGarbage(
  _context: OperationContext,
  _options: GcOptions & { readonly what: string },
): Promise<GcExplanation> {
  throw new SluiceError('ERR_INTERNAL', 'gc is not there yet');
}
