import { type Argument, Command, CommanderError, type OutputConfiguration } from 'commander';
import { COMMANDS } from './commands/index.js';
import { type Globals, withGlobals } from './globals.js';
import type { Io, Output } from './io.js';
import { jsonDocument } from './json.js';
import type { OpenEngine } from './session.js';

const OVERVIEW = `
The options can be given to every command.

A selector is project:target, project (all its stages), or project:target#glob
(files inside outs, relative to the out). Without selectors all stages are meant.

Exit codes:
  0    done
  1    the command of a stage failed, or status --exit-code found a change
  2    usage or configuration
  3    a remote cannot be reached, or refuses
  4    data is damaged, missing or in the way
  5    another process holds what is needed
  70   a bug in Sluice
  130  interrupted

Examples:
  $ sluice init --remote file:///mnt/share/data
  $ sluice status
  $ sluice push
  $ sluice pull people:raw`;

/** Longer lines are hard to read. */
const WIDEST_HELP = 100;

const OPTIONS_ELSEWHERE = '\nOptions of every command, such as --json and --cwd: sluice --help';

/** Runs one command line. Returns the exit code; never throws. `argv` holds the arguments alone, without Node and script. */
export async function main(argv: readonly string[], io: Io, openEngine: OpenEngine, version: string): Promise<number> {
  // What commander complains about comes before it has read all options.
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  let exitCode = 0;
  let help = '';
  const program = createProgram(version, {
    writeOut: (text) => {
      if (json) help += text;
      else io.stdout.write(text);
    },
    // Help that takes the place of a missing command.
    writeErr: (text) => {
      if (!json) io.stderr.write(`${text}\n`);
    },
    outputError: () => undefined,
    getOutHelpWidth: () => helpWidth(io.stdout),
    getErrHelpWidth: () => helpWidth(io.stderr),
  });
  for (const declare of COMMANDS) {
    declare(program, async (run) => {
      const { runOnEngine } = await import('./session.js');
      exitCode = await runOnEngine(io, program.opts<Globals>(), openEngine, run);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      if (json) io.stdout.write(jsonDocument(error.code === 'commander.version' ? { version } : { help }));
      return 0;
    }
    const { reportFailure } = await import('./failure.js');
    return reportFailure(error, io, { ...program.opts<Globals>(), ...(json ? { json } : {}) });
  }
}

/** A program without commands. Commander must neither end the process nor print errors by itself: with `--json` they are a document. */
export function createProgram(version: string, output: OutputConfiguration): Command {
  const program = new Command('sluice').exitOverride().configureOutput(output);
  program.configureHelp({
    subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
  });
  program.addHelpText('afterAll', ({ command }) => (command === program ? '' : OPTIONS_ELSEWHERE));
  return withGlobals(program)
    .description('Versions, skips, restores, pushes and collects the data of an Nx workspace.')
    .version(version)
    .helpCommand('help [command]', 'display help for a command')
    .showSuggestionAfterError(true)
    .addHelpText('after', OVERVIEW);
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function helpWidth({ columns = 80 }: Output): number {
  return Math.min(columns, WIDEST_HELP);
}
