import {
  type DiffOut,
  type DiffReport,
  formatBytes,
  formatCount,
  type MetricChange,
  plural,
  visible,
} from '@sluice/engine';
import { placeOf, sideText } from './diff.js';
import { contentLines } from './diff-content.js';
import { flatChanges, foldChanges } from './fold-changes.js';

/** The same as the text, for a comment on a pull request: a table of the outs, their files folded away, params and metrics. */
export function diffMarkdown(report: DiffReport): string {
  const { before, after, outs, params, metrics } = report;
  const title = `### Data: ${code(sideText(before))} → ${code(sideText(after))}`;
  if (outs.length === 0 && params.length === 0 && metrics.length === 0) return `${title}\n\nNo differences.`;
  const sections = [
    outs.length === 0 ? [] : markdownTable(['out', 'files', 'size', 'new', 'changes'], outs.map(outRow)),
    ...outs.map(details),
    params.length === 0
      ? []
      : markdownTable(
          ['param', 'before', 'after'],
          params.map(({ name, before: was, after: is }) => [code(name), value(was), value(is)]),
        ),
    metrics.length === 0 ? [] : markdownTable(['metric', 'before', 'after', 'change'], metrics.map(metricRow)),
  ];
  return [title, ...sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'))].join('\n\n');
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

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
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
