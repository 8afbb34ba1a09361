import type { DiffOut, DiffReport } from '../operations/diff.js';
import type { MetricChange } from '../operations/diff-metrics.js';
import { formatBytes, formatCount, plural, visible } from '../text/index.js';
import { contentLines } from './content-lines.js';
import { flatChanges, foldChanges } from './fold-changes.js';
import { placeOf, sideText } from './places.js';

/** How a comparison is shown. */
export interface MarkdownOptions {
  /** What to call the sides, where their revisions mean nothing to people. */
  readonly before?: string;
  readonly after?: string;
  /** Of the whole text: what does not fit is counted and not shown. Everything fits if it is not given. */
  readonly mostCharacters?: number;
}

/** A table takes no more than this part of what is left, so that the next ones have room. */
const SHARE = 0.5;
/** For sentences about what is not shown. */
const SPARE = 400;

/**
 * The same as the text, for a comment on a pull request: a table of the outs, their files folded away, params and metrics. Names come from a repository that others write in, so nothing
 * in them is taken for Markdown or HTML.
 */
export function diffMarkdown(report: DiffReport, options: MarkdownOptions = {}): string {
  const { outs, params, metrics } = report;
  const { before = sideText(report.before), after = sideText(report.after) } = options;
  const title = `### Data: ${code(before)} → ${code(after)}`;
  if (outs.length === 0 && params.length === 0 && metrics.length === 0) return `${title}\n\nNo differences.`;
  let left = (options.mostCharacters ?? Number.POSITIVE_INFINITY) - title.length - SPARE;
  const fitted = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
    const text = rows.length === 0 ? [] : [markdownTable(head, rows, left * SHARE).join('\n')];
    left -= text.join('').length;
    return text;
  };
  const table = fitted(['out', 'files', 'size', 'new', 'changes'], outs.map(outRow));
  const values = [
    ...fitted(
      ['param', 'before', 'after'],
      params.map(({ name, before: was, after: is }) => [code(name), value(was), value(is)]),
    ),
    ...fitted(['metric', 'before', 'after', 'change'], metrics.map(metricRow)),
  ];
  const files: string[] = [];
  for (const out of outs) {
    const text = details(out).join('\n');
    if (text.length + 2 > left) continue;
    left -= text.length + 2;
    files.push(text);
  }
  const hidden = outs.length - files.length;
  const more = hidden === 0 ? [] : [`The files of ${plural(hidden, 'out')} do not fit in here.`];
  return [title, ...table, ...files, ...more, ...values].join('\n\n');
}

function outRow(out: DiffOut): string[] {
  const { files, bytes, added, deleted, modified, renamed } = out;
  const counts = { added, deleted, modified, renamed };
  const changes = Object.entries(counts).flatMap(([what, list]) =>
    list.length === 0 ? [] : [`${formatCount(list.length)} ${what}`],
  );
  return [
    code(out.path),
    `${formatCount(files.before)} → ${formatCount(files.after)}`,
    `${formatBytes(bytes.before)} → ${formatBytes(bytes.after)}`,
    formatBytes(bytes.new),
    changes.join(', '),
  ];
}

function details(out: DiffOut): string[] {
  const changes = flatChanges(out);
  const rows = foldChanges(changes, false).map((line): string[] => {
    if (line.kind === 'directory') {
      const total = Object.values(line.counts).reduce((sum, count) => sum + count, 0);
      return [
        '',
        `${code(`${placeOf(out, line.path)}/`)} ${plural(total, 'file')}`,
        formatBytes(line.before),
        formatBytes(line.after),
      ];
    }
    const { letter, path, from, before, after } = line.change;
    const name =
      from === undefined ? code(placeOf(out, path)) : `${code(placeOf(out, from))} → ${code(placeOf(out, path))}`;
    return [
      letter,
      name,
      before === undefined ? '' : formatBytes(before),
      after === undefined ? '' : formatBytes(after),
    ];
  });
  const contents = out.content.flatMap(({ path, diff }) => [
    '',
    code(placeOf(out, path)),
    '',
    ...fenced(contentLines(diff)),
  ]);
  return [
    `<details><summary>${escapeHtml(visible(out.path))}: ${plural(changes.length, 'file')}</summary>`,
    '',
    ...markdownTable(['', 'file', 'before', 'after'], rows),
    ...contents,
    '',
    '</details>',
  ];
}

function metricRow({ path, name, before, after }: MetricChange): string[] {
  const change = typeof before === 'number' && typeof after === 'number' ? signed(after - before) : '';
  return [code(name === '' ? path : `${path}:${name}`), value(before), value(after), change];
}

function signed(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Number(Math.abs(difference).toPrecision(6))}`;
}

/** Rows that do not fit in so many characters are counted. */
function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  mostCharacters = Number.POSITIVE_INFINITY,
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [line(head), line(head.map(() => '---'))];
  let length = lines.join('\n').length;
  for (const [at, cells] of rows.entries()) {
    const text = line(cells);
    length += text.length + 1;
    if (length > mostCharacters) {
      const rest = head.map((_, column) => (column === 0 ? `… and ${formatCount(rows.length - at)} more` : ''));
      return [...lines, line(rest)];
    }
    lines.push(text);
  }
  return lines;
}

/** A fence that is longer than any in the lines. */
function fenced(lines: readonly string[]): string[] {
  const longest = Math.max(2, ...lines.map((line) => /`+/.exec(line)?.[0].length ?? 0));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}diff`, ...lines, fence];
}

function value(text: unknown): string {
  return text === null ? '' : code(typeof text === 'string' ? text : String(text));
}

/** A name as code: nothing in it can end the code, the cell or the line. */
function code(text: string): string {
  return `<code>${escapeHtml(visible(text))}</code>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'|`*_[\]\\~#@]/g, (character) => `&#${character.charCodeAt(0)};`);
}
