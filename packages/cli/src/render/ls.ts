import { formatBytes, type LsEntry, type LsOut, type LsReport, plural, visible } from '@sluice/engine';

/** What `ls -F` puts behind names, but for the star, which says something else here. */
const KIND_MARKS = { file: '', executable: ' (executable)', link: ' (link)' } as const;

/** A head per out, its entries as a tree with sizes, and the sum. A star stands before what is in the store. */
export function lsText({ outs, files, bytes }: LsReport): string {
  if (outs.length === 0) return 'nothing: the locks name no data, or no file of theirs is meant';
  const lines = outs.flatMap((out) => [headOf(out), ...entryLines(out.entries)]);
  const total = `${plural(files, 'file')}, ${formatBytes(bytes)}`;
  return [...lines, ...(outs.length === 1 ? [] : ['', `${plural(outs.length, 'out')}: ${total}`])].join('\n');
}

/** The paths of all files from the workspace root, as they are. */
export function* listedPaths({ outs }: LsReport): Generator<string> {
  for (const out of outs) {
    for (const { path, kind } of out.entries) {
      if (kind !== 'directory') yield path === '' ? out.path : `${out.path}/${path}`;
    }
  }
}

/** `people:raw  people/raw  10 files, 679.0 KiB; 3 of 10 in the store (40.1 KiB)` */
function headOf({ project, target, path, files, bytes, listed, stored }: LsOut): string {
  const whole = `${plural(files, 'file')}, ${formatBytes(bytes)}`;
  const part = listed.files === files ? [] : [`${plural(listed.files, 'file')} listed, ${formatBytes(listed.bytes)}`];
  const here =
    stored.files === listed.files
      ? 'in the store'
      : `${stored.files} of ${listed.files} in the store (${formatBytes(stored.bytes)})`;
  return `${visible(`${project}:${target}`)}  ${visible(path)}  ${[whole, ...part, here].join('; ')}`;
}

function entryLines(entries: readonly LsEntry[]): string[] {
  const sizes = entries.map(({ bytes }) => formatBytes(bytes));
  const width = sizes.reduce((widest, { length }) => Math.max(widest, length), 0);
  return entries.flatMap((entry, i) => {
    // An out that is a file is its own head.
    if (entry.path === '') return [];
    const depth = entry.path.split('/').length - 1;
    const name = visible(entry.path.slice(entry.path.lastIndexOf('/') + 1));
    const label =
      entry.kind === 'directory' ? `${name}/  ${plural(entry.files, 'file')}` : `${name}${KIND_MARKS[entry.kind]}`;
    return [`  ${(sizes[i] ?? '').padStart(width)} ${entry.stored ? '*' : ' '} ${'  '.repeat(depth)}${label}`];
  });
}
