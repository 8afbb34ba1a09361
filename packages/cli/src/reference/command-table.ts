import type { Argument, Command, Option } from 'commander';
import { COMMANDS } from '../commands/index.js';
import { createProgram } from '../main.js';

/** An option as its command declares it. */
export interface OptionEntry {
  /** `--rev <rev>` */
  readonly flags: string;
  readonly description: string;
  readonly choices: readonly string[];
  /** What holds without it, where the command says so. */
  readonly default: string | undefined;
}

/** A command that does something, as it is declared. */
export interface CommandEntry {
  /** `import zip` */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** `sluice import zip <file> <selectors...>` */
  readonly usage: string;
  /** As they stand in the usage: `<file>`, `[selectors...]`. */
  readonly arguments: readonly string[];
  readonly options: readonly OptionEntry[];
  readonly examples: readonly string[];
}

/** Every command in the order of `--help`, and what groups of them are called. */
export interface CommandTable {
  readonly commands: readonly CommandEntry[];
  /** By name: what a group such as `remote` is about. */
  readonly groups: ReadonlyMap<string, string>;
  /** The options of every command. */
  readonly globals: readonly OptionEntry[];
}

/** Reads the commands as they declare themselves to the command line. Nothing runs. */
export function commandTable(): CommandTable {
  const program = createProgram('', {});
  for (const declare of COMMANDS) declare(program, async () => undefined);
  const commands: CommandEntry[] = [];
  const groups = new Map<string, string>();
  const visit = (command: Command, above: string): void => {
    const name = `${above}${command.name()}`;
    if (command.commands.length === 0) commands.push(entryOf(command, name));
    else groups.set(name, command.description());
    for (const below of command.commands) visit(below, `${name} `);
  };
  for (const command of program.commands) visit(command, '');
  return { commands, groups, globals: program.options.map(optionOf) };
}

function entryOf(command: Command, name: string): CommandEntry {
  const named = command.registeredArguments.map(argumentOf);
  const words = [name, ...(command.options.length === 0 ? [] : ['[options]']), ...named];
  return {
    name,
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: `sluice ${words.join(' ')}`,
    arguments: named,
    options: command.options.map(optionOf),
    examples: examplesOf(command),
  };
}

function argumentOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionOf({ flags, description, argChoices = [], defaultValueDescription: told }: Option): OptionEntry {
  return { flags, description, choices: argChoices, default: told };
}

/** They are only in the text that follows the help. */
function examplesOf(command: Command): string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return [...help.matchAll(/^ {2}\$ (.+)$/gm)].map(([, example = '']) => example);
}
