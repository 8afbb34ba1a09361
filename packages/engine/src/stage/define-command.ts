import { isWithin, type RelPath } from '../model/path.js';
import { STAGE_EXECUTOR, TRACK_EXECUTOR } from '../workspace/executors.js';
import { parseDeclaredPath, replaceTokens, type TokenValues } from './declared-path.js';
import type { DeclaredOut } from './define-outs.js';
import { type OptionReader, reportTwice, textOption, textsOption } from './option-reader.js';

/** Options that say how a command's result is decided, so they mean nothing without a command. */
const COMMAND_OPTIONS = ['deps', 'params', 'env', 'runtime', 'cwd', 'always'];

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The command of a stage, or `undefined` for tracked data. Options that need a command are reported when there is none. */
export function defineCommand(
  reader: OptionReader,
  project: TokenValues,
  executor: string,
  outs: readonly DeclaredOut[],
): string | undefined {
  const { problems } = reader;
  const declared = textOption(reader, 'command');
  if (declared !== undefined && executor === TRACK_EXECUTOR) {
    problems.push({
      option: 'command',
      message: 'is set, but tracked data is made by hand',
      hint: `Remove it, or use the executor ${STAGE_EXECUTOR}.`,
    });
    return undefined;
  }
  if (declared?.trim() === '') {
    problems.push({
      option: 'command',
      message: 'is empty',
      hint: 'Write the command that makes the outs; without one the outs are data kept by hand.',
    });
    return undefined;
  }
  if (reader.options.has('command')) {
    const command = declared === undefined ? undefined : replaceTokens(declared, project);
    if (command?.ok === false) problems.push({ option: 'command', message: command.message, hint: command.hint });
    return command?.ok === true ? command.value : undefined;
  }
  if (outs.length === 0 && problems.length === 0) {
    const message = executor === TRACK_EXECUTOR ? 'are missing' : 'are missing, and so is a command';
    problems.push({
      option: 'outs',
      message,
      hint: 'Name the files or directories to keep: "outs": ["{projectRoot}/data"].',
    });
  }
  for (const option of COMMAND_OPTIONS) {
    const value = reader.options.get(option);
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    problems.push({
      option,
      message: 'is set, but there is no command',
      hint: 'Add a command, or remove the option: data kept by hand depends on nothing.',
    });
  }
  return undefined;
}

/** The working directory: the project root unless the option says otherwise. */
export function defineCwd(
  reader: OptionReader,
  project: TokenValues,
  projectRoot: RelPath,
  outs: readonly DeclaredOut[],
): RelPath {
  const declared = textOption(reader, 'cwd');
  if (declared === undefined) return projectRoot;
  const cwd = parseDeclaredPath(declared, project);
  if (!cwd.ok) {
    reader.problems.push({ option: 'cwd', message: `${JSON.stringify(declared)} ${cwd.message}`, hint: cwd.hint });
    return projectRoot;
  }
  const out = outs.find(({ path, persist }) => !persist && isWithin(cwd.value, path));
  if (out !== undefined) {
    reader.problems.push({
      option: 'cwd',
      message: `${JSON.stringify(declared)} lies inside ${out.option}, which is moved aside before the command runs`,
      hint: 'Run the command elsewhere.',
    });
  }
  return cwd.value;
}

/** The names of environment variables that count. */
export function defineEnv(reader: OptionReader): string[] {
  const names = textsOption(reader, 'env');
  for (const { option, text } of names) {
    if (ENV_NAME.test(text)) continue;
    const message = `${JSON.stringify(text)} is not the name of an environment variable`;
    reader.problems.push({
      option,
      message,
      hint: 'Write its name only: letters, digits and "_", no value and no "$".',
    });
  }
  reportTwice(
    reader.problems,
    names.map(({ option, text }) => [option, text]),
  );
  return names.map(({ text }) => text);
}

/** The commands whose output counts. */
export function defineRuntime(reader: OptionReader, project: TokenValues): string[] {
  const commands = textsOption(reader, 'runtime').flatMap(({ option, text }) => {
    const command = replaceTokens(text, project);
    if (command.ok && command.value.trim() !== '') return [{ option, text: command.value }];
    const { message, hint } = command.ok
      ? { message: 'is empty', hint: 'Write a command such as "python --version".' }
      : command;
    reader.problems.push({ option, message, hint });
    return [];
  });
  reportTwice(
    reader.problems,
    commands.map(({ option, text }) => [option, text]),
  );
  return commands.map(({ text }) => text);
}
