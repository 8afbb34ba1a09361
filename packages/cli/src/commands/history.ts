import type { HistoryScope } from '@sluice/engine';
import type { Command } from 'commander';
import { collect, parseCount } from './parse.js';

/** What the options of a scope give. */
export interface HistoryOptions extends Omit<HistoryScope, 'revs'> {
  readonly rev?: string[];
}

/** Adds the options that choose revisions; they add up. */
export function withHistory(command: Command): Command {
  return command
    .option('--all-branches', 'also the tips of all branches')
    .option('--all-tags', 'also all tags')
    .option('--all-commits', 'also every commit')
    .option('--rev <rev>', 'also this revision (several times for several)', collect);
}

/** The options that only a collection has. */
export function withRecentHistory(command: Command): Command {
  return withHistory(command)
    .option('--since <date>', 'also commits since this date')
    .option('--num <n>', 'also the last n commits', parseCount);
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
