import { SluiceError } from '../errors.js';
import type { OperationContext } from './context.js';
import type { VerifyReport } from './reports.js';

export async function verify(
  _context: OperationContext,
  _options: { readonly deep?: boolean; readonly repair?: boolean; readonly remote?: string },
): Promise<VerifyReport> {
  throw new SluiceError('ERR_INTERNAL', 'verify is not there yet');
}
