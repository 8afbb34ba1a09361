import type { Reason } from '../model/reason.js';
import { visible } from './format.js';

const LONGEST_VALUE = 60;
const LONGEST_LIST = 3;

/** One reason as a short phrase: `params.yaml:lr 0.1 -> 0.2`, `dep src/a.py changed`. Nothing is said of the value of an environment variable. */
export function reasonText({ kind, name: rawName, before, after }: Reason): string {
  const name = visible(rawName);
  switch (kind) {
    case 'new':
      return 'nothing committed yet';
    case 'always':
      return 'declared as "always"';
    case 'forced':
      return 'asked to run anyway';
    case 'upstream':
      return `dep ${name} is not there and ${after} has no result yet`;
    case 'merged':
      return 'its outs were put together by a merge, and no run made them';
    case 'lost':
      return `its data is nowhere any more (${name})`;
    case 'error':
      return `${name} (${after})`;
    case 'param':
      return `${name} ${change(before, after)}`;
    case 'command':
    case 'cwd':
    case 'foreach':
      return `${kind} ${change(before, after)}`;
    case 'runtime':
      return `runtime ${name} ${change(before, after)}`;
    case 'env':
      return `env ${name} ${envVerb(before, after)}`;
    case 'dep':
      return `dep ${name} ${depVerb(before, after)}`;
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
  const shown = visible(value);
  return shown.length <= LONGEST_VALUE ? shown : `${shown.slice(0, LONGEST_VALUE - 1)}…`;
}

function envVerb(before: string | null, after: string | null): string {
  if (before === null) return 'is declared now';
  if (after === null) return 'is not declared any more';
  return before === 'unset' ? 'set' : after === 'unset' ? 'unset' : 'changed';
}

function depVerb(before: string | null, after: string | null): string {
  if (after === null) return before === null ? 'is not there' : 'is gone';
  return before === null ? 'added' : 'changed';
}

function outVerb(before: string | null, after: string | null): string {
  if (before === 'declared') return 'is not declared any more';
  if (after === 'declared') return 'is declared now';
  if (before === 'store' || before === 'git' || after === 'store' || after === 'git')
    return before === null ? 'added' : after === null ? 'removed' : 'changed';
  return after === null ? 'is gone' : before === null ? 'is not committed yet' : 'modified';
}
