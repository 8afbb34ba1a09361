import { asSluiceError, errorText, SluiceError, toErrorWire } from '@sluice/engine';
import { Command, CommanderError, Option } from 'commander';
import { COMMANDS } from './commands/index.js';
import type { Globals } from './globals.js';
import type { Io } from './io.js';
import { type OpenEngine, runOnEngine } from './session.js';

/** Runs one command line. Returns the exit code; never throws. `argv` holds the arguments alone, without Node and script. */
export async function main(argv: readonly string[], io: Io, openEngine: OpenEngine, version: string): Promise<number> {
  const json = argv.includes('--json');
  let exitCode = 0;
  const program = createProgram(io, version, json);
  for (const declare of COMMANDS) {
    declare(program, async (command) => {
      exitCode = await runOnEngine(io, program.opts<Globals>(), openEngine, command);
    });
  }
  inheritSettings(program, io, json);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return fail(error, io, program.opts<Globals>(), json);
  }
}

function createProgram(io: Io, version: string, json: boolean): Command {
  const program = new Command('sluice')
    .description('Versions, skips, restores, pushes and collects the data of an Nx workspace.')
    .version(version)
    .option('--cwd <dir>', 'work in the workspace of this directory')
    .option('--json', 'print one JSON document and nothing else')
    .option('--events', 'print every event as a line of JSON to stderr')
    .option('-q, --quiet', 'print only warnings and errors')
    .option('-v, --verbose', 'print reasons and, for a bug, the stack')
    .option('--no-progress', 'show no progress')
    .option('--offline', 'talk to no remote')
    .addOption(new Option('--strict', 'fail where something would be slower or stay reference-only'))
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nA selector is project:target, project, or project:target#glob; none means all stages.\n');
  configure(program, io, json);
  return program;
}

/** Commander must neither end the process nor print errors by itself: with `--json` they are a document. */
function configure(command: Command, io: Io, json: boolean): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => {
      if (!json) io.stderr.write(text);
    },
    outputError: () => undefined,
  });
}

function inheritSettings(program: Command, io: Io, json: boolean): void {
  for (const command of program.commands) {
    configure(command, io, json);
    inheritSettings(command, io, json);
  }
}

function fail(error: unknown, io: Io, globals: Globals, json: boolean): number {
  const known = error instanceof CommanderError ? usageError(error) : asSluiceError(error);
  if (known === undefined) return 0;
  if (json || globals.json === true) {
    io.stdout.write(`${JSON.stringify({ schema: 1, error: toErrorWire(known) }, undefined, 2)}\n`);
  } else {
    io.stderr.write(`${errorText(toErrorWire(known))}\n`);
  }
  if (known.code === 'ERR_INTERNAL' && (globals.verbose === true || io.env.SLUICE_TRACE === '1')) {
    io.stderr.write(`${String(known.cause instanceof Error ? known.cause.stack : known.stack)}\n`);
  }
  return known.exitCode;
}

/** Help and version come as errors too; they are none. */
function usageError(error: CommanderError): SluiceError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help')
    return new SluiceError('ERR_USAGE', 'a command is missing', { hint: 'Run `sluice --help`.' });
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const hint = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  return new SluiceError('ERR_USAGE', first, {
    hint: hint === '' ? 'Run `sluice --help`, or `sluice <command> --help`.' : hint,
  });
}
