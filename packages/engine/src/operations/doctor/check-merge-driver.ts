import { missingDriverSettings, writeGitSettings } from '../git-setup.js';
import type { Diagnosis, Patient } from './finding.js';

/** Finds a clone in which git has not been told how locks are merged: its configuration does not come with a clone. */
export async function checkMergeDriver({ root, stages, signal }: Patient): Promise<Diagnosis[]> {
  if (stages.length === 0) return [];
  const missing = await missingDriverSettings(root, { signal });
  if (missing.length === 0) return [];
  return [
    {
      check: 'merge-driver',
      level: 'note',
      subject: '.git/config',
      message: 'does not know the merge driver of Sluice, so git merges the lines of locks and leaves markers in them',
      fix: 'Run: sluice init',
      repair: () => writeGitSettings(root, missing, { signal }),
    },
  ];
}
