import { formatBytes, type LsEntry, type LsOut, type LsReport, plural, visible } from '@sluice/engine';

/** What `ls -F` puts behind names, but for the star, which says something else here. */
const KIND_MARKS = { file: '', executable: ' (executable)', link: ' (link)' } as const;

/** A head per out, its entries as a tree with sizes, and the sum. A star stands before what is in the store. */
export function lsText({ outs, files, bytes }: LsReport): string {
  if (outs.length === 0) return 'nothing: the locks name no data, or no file of theirs is meant';
  const lines = outs.flatMap((out) => [[headOf(out)], entryLines(out.entries)]).flat();
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
  let width = 0;
  for (const size of sizes) width = Math.max(width, size.length);
  const lines: string[] = [];
  entries.forEach(({ path, kind, files, stored }, i) => {
    // An out that is a file is its own head.
    if (path === '') return;
    let depth = 0;
    let nameAt = 0;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', nameAt)) {
      depth++;
      nameAt = slash + 1;
    }
    const name = visible(path.slice(nameAt));
    const label = kind === 'directory' ? `${name}/  ${plural(files, 'file')}` : `${name}${KIND_MARKS[kind]}`;
    lines.push(`  ${(sizes[i] ?? '').padStart(width)} ${stored ? '*' : ' '} ${'  '.repeat(depth)}${label}`);
  });
  return lines;
}
