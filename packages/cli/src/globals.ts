import { type Command, Option } from 'commander';

/** Options that every command takes. */
export interface Globals {
  readonly cwd?: string;
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** `--no-progress` makes it `false`. */
  readonly progress?: boolean;
  readonly offline?: boolean;
  readonly strict?: boolean;
}

/** Declares the options of {@link Globals}; they may stand before and behind the command's name. */
export function withGlobals(program: Command): Command {
  return program
    .option('--cwd <dir>', 'work in the workspace that this directory belongs to')
    .option('--json', 'print one JSON document on stdout and nothing else there')
    .option('--events', 'print every event as a line of JSON on stderr')
    .addOption(new Option('-q, --quiet', 'print only warnings and errors').conflicts('verbose'))
    .option('-v, --verbose', 'print values in full, requests, and the stack of a bug')
    .option('--no-progress', 'show no progress')
    .option('--offline', 'talk to no remote')
    .option('--strict', 'fail where a remote is down or data stays reference-only');
}
