import type { Engine, SluiceError } from '@sluice/engine';
import type { Command } from 'commander';
import type { Globals } from './globals.js';

/** What a command has to say: a document for `--json`, and the same for a person. */
export interface Report {
  readonly json: object;
  /** Goes to stdout; may be empty. */
  readonly text: string;
  /** Goes to stdout as it is, in place of the text, with `--quiet` too. It ends early when nobody reads any more. */
  readonly stream?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** The exit code where it is not 0 although nothing failed. */
  readonly exitCode?: number;
  /** The command did its work, and what it found is a failure. With `--json` it takes the place of the document. */
  readonly failure?: SluiceError | undefined;
}

/** What a command knows besides its own options. */
export interface Call {
  readonly globals: Globals;
  /** Absolute path that the paths of arguments are relative to. */
  readonly cwd: string;
  /** All of standard input. */
  readInput(): Promise<string>;
}

/** Carries out a command: opens an engine, lets the command use it, prints its report. */
export type Execute = (run: (engine: Engine, call: Call) => Promise<Report>) => Promise<void>;

/** Adds one command to the program. Nothing but commander may be loaded until its action runs. */
export type Declare = (program: Command, execute: Execute) => void;

/** The examples at the end of a command's `--help`. */
export function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  $ ${command}`).join('\n')}`;
}
