import type { Reason } from '../model/reason.js';

const LONGEST_VALUE = 60;
const LONGEST_LIST = 3;

/** One reason as a short phrase: `params.yaml:lr 0.1 -> 0.2`, `dep src/a.py changed`. Nothing is said of the value of an environment variable. */
export function reasonText({ kind, name, before, after }: Reason): string {
  switch (kind) {
    case 'new':
      return 'never run before';
    case 'always':
      return 'declared as "always"';
    case 'forced':
      return 'asked to run anyway';
    case 'upstream':
      return `dep ${name} is not there and ${after} has no result yet`;
    case 'lost':
      return `its data is nowhere any more (${name})`;
    case 'param':
      return `${name} ${change(before, after)}`;
    case 'command':
    case 'cwd':
      return `${kind} ${change(before, after)}`;
    case 'runtime':
      return `${name}: ${change(before, after)}`;
    case 'env':
      return `env ${name} ${verb(before === 'unset' ? null : before, after === 'unset' ? null : after, 'set', 'unset')}`;
    case 'dep':
      return `dep ${name} ${after === null && before !== null ? 'is gone' : verb(before, after, 'added', 'not there')}`;
    case 'out':
      return `out ${name} ${outVerb(before, after)}`;
  }
}

/** All reasons in one line; a long list ends with the number of the others. */
export function reasonsText(reasons: readonly Reason[]): string {
  const shown = reasons.slice(0, LONGEST_LIST).map(reasonText).join(', ');
  const others = reasons.length - LONGEST_LIST;
  return others > 0 ? `${shown} and ${others} more` : shown;
}

function change(before: string | null, after: string | null): string {
  return `${shorten(before)} -> ${shorten(after)}`;
}

function shorten(value: string | null): string {
  if (value === null) return '(none)';
  return value.length <= LONGEST_VALUE ? value : `${value.slice(0, LONGEST_VALUE - 1)}…`;
}

function verb(before: string | null, after: string | null, added: string, removed: string): string {
  return before === null ? added : after === null ? removed : 'changed';
}

function outVerb(before: string | null, after: string | null): string {
  if (before === 'declared') return 'is not declared any more';
  if (after === 'declared') return 'is declared now';
  if (before === 'store' || before === 'git' || after === 'store' || after === 'git')
    return verb(before, after, 'added', 'removed');
  return after === null ? 'is gone' : before === null ? 'was committed for the first time' : 'was changed by hand';
}
