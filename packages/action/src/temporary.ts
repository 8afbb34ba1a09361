import { tmpdir } from 'node:os';
import type { Host } from './host.js';

/** A directory for files that outlive the step, but not the job. */
export function temporary({ env }: Pick<Host, 'env'>): string {
  const dir = env.RUNNER_TEMP;
  return dir === undefined || dir === '' ? tmpdir() : dir;
}
