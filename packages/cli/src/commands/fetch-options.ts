import type { FetchOptions } from '@sluice/engine';
import type { Command } from 'commander';
import { parseBytes, parseSeed } from './parse.js';

/** What the options of `fetch` and `pull` give. */
export type TransferOptions = Omit<FetchOptions, 'select'>;

/** Adds the options that say what is brought from where. */
export function withTransferOptions(command: Command): Command {
  return command
    .option('--remote <name>', 'from this remote')
    .option('--rev <rev>', 'what the lock of this git revision says')
    .option('--history', 'every version that the git history of the locks names')
    .option('--max-bytes <size>', 'stop before the object that would cross this size, such as 500MB', parseBytes)
    .option('--sample <sample>', 'some files of each out: random:1/10, group:1/5 or range:0:100:5')
    .option('--seed <n>', 'another choice of the same sample', parseSeed);
}
