import { type ExplainReport, reasonsText, visible } from '@sluice/engine';
import { shortenDigests } from './digest.js';
import { table } from './table.js';

type Part = ExplainReport['parts'][number];

const LONGEST_VALUE = 48;

/** A verdict, then a table of all parts with those marked that changed. `verbose`: values in full. */
export function explainText(report: ExplainReport, verbose: boolean): string {
  const { parts, state } = report;
  if (parts.length === 0) return verdict(report);
  const isFirst = state === 'new' && parts.every(({ before }) => before === null);
  const rows = parts.map((part) => {
    const key = visible(part.name === '' ? part.kind : `${part.kind} ${part.name}`);
    if (isFirst) return ['', key, value(part, 'after', verbose)];
    const after = part.changed ? value(part, 'after', verbose) : '(same)';
    return [part.changed ? '*' : '', key, value(part, 'before', verbose), after];
  });
  const head = isFirst ? ['', 'part', 'value'] : ['', 'part', 'before', 'after'];
  return [verdict(report), '', ...table([head, ...rows])].join('\n');
}

function verdict({ project, target, state, frozen, reasons }: ExplainReport): string {
  const name = `${project}:${target}`;
  const why = reasons.length === 0 ? '' : `: ${reasonsText(reasons)}`;
  switch (state) {
    case 'unchanged':
      if (frozen) return `${name} would not run: it is declared as "frozen", so its deps and params are not looked at`;
      return `${name} would not run: nothing changed`;
    case 'restorable':
      return `${name} would not run: its result for these inputs is known and would be restored (${reasonsText(reasons)})`;
    case 'changed':
      return `${name} would run${why}`;
    case 'new':
      return `${name} would run${why}`;
  }
}

function value(part: Part, side: 'before' | 'after', verbose: boolean): string {
  const text = part[side];
  if (text === null) return '(none)';
  // A short value of a variable can be guessed from its digest, so that is not repeated here.
  if (part.kind === 'env' && text !== 'unset')
    return side === 'after' && part.before !== null && part.before !== 'unset' ? '(another value)' : '(a value)';
  const shown = visible(verbose ? text : shortenDigests(text));
  return verbose || shown.length <= LONGEST_VALUE ? shown : `${shown.slice(0, LONGEST_VALUE - 1)}…`;
}
