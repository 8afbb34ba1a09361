import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { Host } from './host.js';

/** Where in the checkout an annotation points to. `line` begins at 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
}

/** How the action talks to the runner: lines in the log, and files that the runner reads when the step has ended. */
export interface WorkflowCommands {
  annotate(level: 'error' | 'warning' | 'notice', message: string, place?: Place): void;
  /** Takes care that no log shows the text; each line of it, since the log is read by line. */
  mask(secret: string): void;
  setOutput(name: string, value: string): void;
  /** For the post step of this action. */
  saveState(name: string, value: string): void;
  addSummary(markdown: string): void;
  group(title: string): void;
  endGroup(): void;
}

/** Warnings that are shown; the log of the runner has room for ten. */
const MOST_WARNINGS = 4;
/** The runner drops a longer annotation. */
const LONGEST_ANNOTATION = 4000;

/** Commands for the runner of a host. A file that the runner does not name is not written. */
export function workflowCommands(host: Host): WorkflowCommands {
  const line = (command: string, properties: string, message: string): void =>
    host.write(`::${command}${properties}::${escapeData(message)}\n`);
  const append = (variable: string, text: string): void => {
    const file = host.env[variable];
    if (file !== undefined && file !== '') appendFileSync(file, text);
  };
  return {
    annotate: (level, message, place) => line(level, placeText(place), message.slice(0, LONGEST_ANNOTATION)),
    mask: (secret) => {
      for (const part of secret.split(/\r?\n/)) if (part.trim() !== '') line('add-mask', '', part);
    },
    setOutput: (name, value) => append('GITHUB_OUTPUT', entry(name, value)),
    saveState: (name, value) => append('GITHUB_STATE', entry(name, value)),
    addSummary: (markdown) => append('GITHUB_STEP_SUMMARY', `${markdown}\n`),
    group: (title) => line('group', '', title),
    endGroup: () => host.write('::endgroup::\n'),
  };
}

/** Annotates a step with warnings; what is too much for the log of the runner is joined into one. */
export function tellWarnings(commands: WorkflowCommands, warnings: readonly string[]): void {
  for (const warning of warnings.slice(0, MOST_WARNINGS)) commands.annotate('warning', warning);
  const more = warnings.length - MOST_WARNINGS;
  if (more > 0) commands.annotate('warning', `${more} more: ${warnings.slice(MOST_WARNINGS).join('; ')}`);
}

/** A name and a value that may hold anything: nobody can guess where it ends. */
function entry(name: string, value: string): string {
  const end = `sluice-${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

function placeText(place: Place | undefined): string {
  if (place === undefined) return '';
  const line = place.line === undefined ? '' : `,line=${place.line}`;
  return ` file=${escapeProperty(place.file)}${line}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
