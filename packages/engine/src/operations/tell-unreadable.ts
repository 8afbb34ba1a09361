import { asSluiceError } from '../errors.js';
import type { OperationContext } from './context.js';

/** Tells what is wrong with a lock of the history, which then counts as that of the commit before. */
export function tellUnreadable({ emit }: OperationContext): (problem: unknown) => void {
  return (problem) => {
    const { code, message } = asSluiceError(problem);
    emit({ type: 'warning', code, message: `${message}; it is passed over` });
  };
}
