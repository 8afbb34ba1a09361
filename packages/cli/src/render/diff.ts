import {
  contentLines,
  type DiffOut,
  type DiffReport,
  type FlatChange,
  type FoldedLine,
  flatChanges,
  foldChanges,
  formatBytes,
  placeOf,
  plural,
  sideText,
  visible,
} from '@sluice/engine';

const WORDS = { A: 'added', D: 'deleted', M: 'modified', R: 'renamed' } as const;

/** What differs, out by out, then params and metrics. `isFull`: every file on a line of its own. */
export function diffText(report: DiffReport, isFull: boolean): string {
  const { before, after, outs, params, metrics } = report;
  if (outs.length === 0 && params.length === 0 && metrics.length === 0) {
    return `no differences between ${sideText(before)} and ${sideText(after)}`;
  }
  const values = [
    ...params.map(
      ({ name, before: was, after: is }) => `param   ${visible(name)}  ${valueText(was)} -> ${valueText(is)}`,
    ),
    ...metrics.map(
      ({ path, name, before: was, after: is }) =>
        `metric  ${visible(name === '' ? path : `${path}:${name}`)}  ${valueText(was)} -> ${valueText(is)}`,
    ),
  ];
  return [...outs.flatMap((out) => outLines(out, isFull)), ...values].join('\n');
}

/** For each file its letter and its path from the workspace root, as they are; of a renamed one the old path first. */
export function* changedPaths({ outs }: DiffReport): Generator<string> {
  for (const out of outs) {
    for (const { letter, path, from } of flatChanges(out)) {
      yield letter;
      if (from !== undefined) yield placeOf(out, from);
      yield placeOf(out, path);
    }
  }
}

function outLines(out: DiffOut, isFull: boolean): string[] {
  const { project, target, files, bytes, content } = out;
  const sizes = `${plural(files.before, 'file')} -> ${plural(files.after, 'file')}, ${formatBytes(bytes.before)} -> ${formatBytes(bytes.after)}`;
  const contents = new Map(content.map(({ path, diff }) => [path, diff]));
  // With contents, each file that has one is shown.
  const lines = foldChanges(flatChanges(out), isFull || content.length > 0).flatMap((line) => {
    const diff = line.kind === 'file' ? contents.get(line.change.path) : undefined;
    return [
      `  ${lineText(out, line)}`,
      ...(diff === undefined ? [] : contentLines(diff).map((text) => `      ${text}`)),
    ];
  });
  return [
    `${visible(`${project}:${target}`)}  ${visible(out.path)}  ${sizes} (${formatBytes(bytes.new)} new)`,
    ...lines,
  ];
}

function lineText(out: DiffOut, line: FoldedLine): string {
  if (line.kind === 'file') return changeText(out, line.change);
  const { path, counts, before, after } = line;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const kinds = (['A', 'D', 'M', 'R'] as const)
    .filter((letter) => counts[letter] > 0)
    .map((letter) => `${counts[letter]} ${WORDS[letter]}`);
  return `   ${visible(placeOf(out, path))}/ -> ${plural(total, 'file')}: ${kinds.join(', ')}; ${formatBytes(before)} -> ${formatBytes(after)}`;
}

function changeText(out: DiffOut, { letter, path, from, before, after }: FlatChange): string {
  const place = visible(placeOf(out, path));
  if (from !== undefined) return `R  ${visible(placeOf(out, from))} -> ${place}  ${formatBytes(after ?? 0)}`;
  if (letter === 'M') return `M  ${place}  ${formatBytes(before ?? 0)} -> ${formatBytes(after ?? 0)}`;
  return `${letter}  ${place}  ${formatBytes(after ?? before ?? 0)}`;
}

function valueText(value: unknown): string {
  return value === null ? '(none)' : visible(typeof value === 'string' ? value : String(value));
}
