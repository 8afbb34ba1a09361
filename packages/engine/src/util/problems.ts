import { type ErrorWire, fromErrorWire, SluiceError } from '../errors.js';

/** Problems of many files that are shown with an error. */
const SHOWN = 20;

/** Throws the problems of a bulk operation as one error: the first, with the number of the others. Nothing for none. */
export function throwProblems(problems: readonly ErrorWire[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const error = fromErrorWire(first);
  if (problems.length === 1) throw error;
  throw new SluiceError(error.code, `${error.message}, and ${problems.length - 1} more`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { problems: problems.slice(0, SHOWN) },
  });
}
