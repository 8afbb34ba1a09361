import { SluiceError } from '../errors.js';
import type { CommandResult } from './run-command.js';
import { type Stage, stageName } from './stage.js';

/** The error of a command that did not end well; `what` says for which part of the stage it ran. */
export function commandFailed(stage: Stage, result: CommandResult, what = ''): SluiceError {
  const { exitCode, signal } = result;
  const name = what === '' ? 'the command' : `the command ${what}`;
  return new SluiceError(
    'ERR_COMMAND_FAILED',
    `${stageName(stage.id)}: ${name} ${describeEnd(result)}: ${stage.command}`,
    {
      hint: `It ran in ${stage.cwd === '' ? '.' : stage.cwd}; its output is above. The outs are as they were before.`,
      details: { exitCode, signal },
    },
  );
}

function describeEnd({ exitCode, signal }: CommandResult): string {
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}
