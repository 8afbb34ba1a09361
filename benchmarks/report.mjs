// @ts-check

/** @typedef {import('./rows/row.mjs').Bar} Bar */

/**
 * A line of the table. Values are in the line's unit; medians of several runs.
 *
 * @typedef {object} Line
 * @property {string} row
 * @property {string} set
 * @property {'s' | 'bytes'} unit
 * @property {number | undefined} ours
 * @property {string | undefined} nativeName
 * @property {number | undefined} native
 * @property {Bar | undefined} bar
 * @property {'ok' | 'missed' | 'failed' | undefined} verdict `undefined`: nothing to judge by
 * @property {number | undefined} peakBytes largest of all runs
 * @property {number | undefined} dvc one run
 * @property {string | undefined} error
 * @property {{ ours: number[], native: number[] }} runs
 */

const MIB = 1024 * 1024;

/** @type {readonly { title: string, width: number, right?: boolean, text(line: Line): string }[]} */
const COLUMNS = [
  { title: 'set', width: 6, text: ({ set }) => set },
  { title: 'operation', width: 29, text: ({ row }) => row },
  { title: 'ours', width: 9, right: true, text: ({ ours, unit }) => show(ours, unit) },
  { title: 'native', width: 9, right: true, text: ({ native, unit }) => show(native, unit) },
  { title: 'of', width: 13, text: ({ nativeName }) => nativeName ?? '' },
  { title: 'ratio', width: 6, right: true, text: (line) => ratioOf(line)?.toFixed(2) ?? '' },
  { title: 'bar', width: 7, right: true, text: ({ bar, unit }) => showBar(bar, unit) },
  { title: '', width: 6, text: ({ verdict }) => verdict ?? '' },
  { title: 'peak RSS', width: 8, right: true, text: ({ peakBytes }) => show(peakBytes, 'bytes') },
];
const DVC_COLUMN = { title: 'dvc', width: 8, right: true, text: (/** @type {Line} */ { dvc }) => show(dvc, 's') };

/** Prints the table line by line, as lines become known. @param {boolean} withDvc @param {(text: string) => void} print */
export function createTable(withDvc, print) {
  const columns = withDvc ? [...COLUMNS, DVC_COLUMN] : COLUMNS;
  /** @param {readonly string[]} cells */
  const row = (cells) => {
    const padded = columns.map(({ width, right }, i) =>
      right ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width),
    );
    print(padded.join('  ').trimEnd());
  };
  return {
    head: () => {
      row(columns.map(({ title }) => title));
      row(columns.map(({ width }) => '-'.repeat(width)));
    },
    /** @param {Line} line */
    line: (line) => {
      row(columns.map(({ text }) => text(line)));
      if (line.error !== undefined) print(line.error.replace(/^/gm, '        '));
    },
  };
}

/** The one middle value, or the mean of the two. @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[middle - 1] ?? 0, sorted[middle] ?? 0];
  return sorted.length % 2 === 1 ? above : (below + above) / 2;
}

/** Whether a value is within its bar. @param {number} ours @param {number | undefined} native @param {Bar | undefined} bar */
export function judge(ours, native, bar) {
  if (bar === undefined) return undefined;
  const limit = 'most' in bar ? bar.most : bar.times * (native ?? Number.NaN);
  return ours <= limit ? 'ok' : 'missed';
}

/** @param {Line} line */
function ratioOf({ ours, native }) {
  return ours === undefined || native === undefined ? undefined : ours / native;
}

/** @param {Bar | undefined} bar @param {Line['unit']} unit */
function showBar(bar, unit) {
  if (bar === undefined) return '';
  if ('times' in bar) return `${bar.times} x`;
  return unit === 's' ? `${bar.most} s` : `${bar.most / MIB} MiB`;
}

/** @param {number | undefined} value @param {Line['unit']} unit */
function show(value, unit) {
  if (value === undefined) return '';
  return unit === 's' ? `${value.toFixed(2)} s` : `${(value / MIB).toFixed(value < 100 * MIB ? 1 : 0)} MiB`;
}
