// Reading and writing small tables, and the params of a stage.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The rows of a CSV file without quotes, as objects; numbers where they are numbers. */
export function readCsv(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = head.trim().split(',');
  return lines.map((line) => {
    const values = line.trim().split(',');
    return Object.fromEntries(names.map((name, at) => [name, toNumber(values[at])]));
  });
}

/** Writes rows of the same keys as CSV. */
export function writeCsv(path, rows) {
  const names = Object.keys(rows[0]);
  const lines = rows.map((row) => names.map((name) => row[name]).join(','));
  write(path, `${[names.join(','), ...lines].join('\n')}\n`);
}

/** Writes a text, with the directories above it. */
export function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** One section of params.yaml, which holds nothing deeper than `section: {key: value}`. */
export function readParams(section) {
  const params = {};
  let current;
  for (const line of readFileSync('params.yaml', 'utf8').split('\n')) {
    const [, indent, key, value] = /^( *)([A-Za-z]+):\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (indent === '') current = key;
    else if (current === section) params[key] = toNumber(value);
  }
  return params;
}

/** Rounds, so that results are the same on every machine. */
export function round(value, digits = 3) {
  return Number(value.toFixed(digits));
}

function toNumber(text) {
  return text === '' || Number.isNaN(Number(text)) ? text : Number(text);
}
