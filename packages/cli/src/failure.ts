import { inspect } from 'node:util';
import { asSluiceError, type ErrorWire, errorText, SluiceError, toErrorWire } from '@sluice/engine';
import { CommanderError } from 'commander';
import type { Globals } from './globals.js';
import type { Io } from './io.js';
import { jsonDocument } from './json.js';

/** Tells why a command line failed: a document on stdout with `--json`, else a text on stderr. Returns the exit code. */
export function reportFailure(error: unknown, io: Io, globals: Globals): number {
  const known = error instanceof CommanderError ? usageError(error) : asSluiceError(error);
  const wire = toErrorWire(known);
  if (globals.json === true) io.stdout.write(jsonDocument({ error: withHint(wire) }));
  else io.stderr.write(`${errorText(wire)}\n`);
  const isBug = known.code === 'ERR_INTERNAL';
  // A stack helps nobody who typed a wrong word.
  if (io.env.SLUICE_TRACE === '1' || (isBug && globals.verbose === true)) {
    io.stderr.write(`${inspect(isBug ? (known.cause ?? known) : known)}\n`);
  }
  return known.exitCode;
}

/** The document promises a hint. */
function withHint({ code, message, hint, details }: ErrorWire): Required<Omit<ErrorWire, 'details'>> & object {
  return {
    code,
    message,
    hint: hint ?? `See ${code} in docs/errors.md.`,
    ...(details === undefined ? {} : { details }),
  };
}

/** What commander says in one or two lines, `error: unknown command 'stats'` and `(Did you mean status?)`, as an error with a hint. */
function usageError({ code, message }: CommanderError): SluiceError {
  if (code === 'commander.help') {
    return new SluiceError('ERR_USAGE', 'a command is missing', { hint: 'Run `sluice --help` to see what there is.' });
  }
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const hint = suggestion === '' ? 'Run `sluice --help`, or `sluice COMMAND --help`.' : suggestion;
  return new SluiceError('ERR_USAGE', first, { hint });
}
