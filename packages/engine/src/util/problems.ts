import { type ErrorWire, fromErrorWire, SluiceError } from '../errors.js';

/** Problems of many files that are shown with an error. */
const SHOWN = 20;

/** Throws what {@link gatherProblems} makes of the problems of a bulk operation. Nothing for none. */
export function throwProblems(problems: readonly ErrorWire[]): void {
  const error = gatherProblems(problems);
  if (error !== undefined) throw error;
}

/** The problems of a bulk operation as one error: the first, with the number of the others. `undefined` for none. */
export function gatherProblems(problems: readonly ErrorWire[]): SluiceError | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const error = fromErrorWire(first);
  if (problems.length === 1) return error;
  return new SluiceError(error.code, `${error.message}, and ${problems.length - 1} more`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { problems: problems.slice(0, SHOWN) },
  });
}
