import { SluiceError } from '../errors.js';
import type { PushReport } from './reports.js';

/** What keeps a push from being done: the first remote that does not have everything, and how many others. The report is in its `details`. */
export function pushFailure(report: PushReport): SluiceError | undefined {
  const failed = report.remotes.filter(({ error }) => error !== null);
  const [first] = failed;
  if (first === undefined || first.error === null) return undefined;
  const { code, message, hint } = first.error;
  const others =
    failed.length === 1
      ? ''
      : ` (and ${failed
          .slice(1)
          .map(({ remote }) => remote)
          .join(', ')})`;
  return new SluiceError(code, `${first.remote}${others} did not take everything: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { ...report },
  });
}
