import type { HistoryScope } from '@sluice/engine';
import type { Command } from 'commander';
import { collect, parseCount } from './parse.js';

/** What the options of a scope give. */
export interface HistoryOptions extends Omit<HistoryScope, 'revs'> {
  readonly rev?: string[];
}

/** Adds the options that choose revisions. */
export function withHistory(command: Command): Command {
  return command
    .option('--all-branches', 'also what the locks at the tips of all branches name')
    .option('--all-tags', 'also those at all tags')
    .option('--all-commits', 'also those of every commit')
    .option('--rev <rev>', 'also those of this revision; can be given again', collect);
}

/** Adds those that only a collection has, too. */
export function withRecentHistory(command: Command): Command {
  return withHistory(command)
    .option('--since <date>', 'also those of commits since this date')
    .option('--num <n>', 'also those of the last n commits', parseCount);
}

/** The scope that options mean. */
export function scopeOf({ rev, allBranches, allTags, allCommits, since, num }: HistoryOptions): HistoryScope {
  return {
    ...(allBranches === undefined ? {} : { allBranches }),
    ...(allTags === undefined ? {} : { allTags }),
    ...(allCommits === undefined ? {} : { allCommits }),
    ...(since === undefined ? {} : { since }),
    ...(num === undefined ? {} : { num }),
    ...(rev === undefined ? {} : { revs: rev }),
  };
}
