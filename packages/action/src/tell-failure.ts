import { relative } from 'node:path';
import { asSluiceError, errorText, toErrorWire } from '@sluice/engine';
import type { Host } from './host.js';
import type { WorkflowCommands } from './workflow-commands.js';
import { BrokenDeclarations } from './workspace-run.js';

/** The runner shows ten errors of a step. */
const MOST_ERRORS = 8;

/** Says why a step failed before it did anything: wrong declarations on their lines, everything else once. */
export function tellFailure(commands: WorkflowCommands, host: Pick<Host, 'cwd' | 'write'>, error: unknown): void {
  if (!(error instanceof BrokenDeclarations)) {
    commands.annotate('error', errorText(toErrorWire(asSluiceError(error))));
    return;
  }
  const { root, problems } = error;
  for (const { message, hint, code, file, line } of problems.slice(0, MOST_ERRORS)) {
    const text = `${code}: ${message}${hint === undefined ? '' : `\n${hint}`}`;
    const path = file === undefined ? undefined : relative(host.cwd, `${root}/${file}`);
    commands.annotate(
      'error',
      text,
      path === undefined ? undefined : { file: path, ...(line === undefined ? {} : { line }) },
    );
  }
  if (problems.length > MOST_ERRORS)
    host.write(`and ${problems.length - MOST_ERRORS} more: \`sluice doctor\` shows all\n`);
}
