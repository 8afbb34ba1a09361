// @ts-check
// One table per month of the year: how warm and how wet its days were in Seattle.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const table = new URL('../../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url);
const [header = '', ...lines] = readFileSync(table, 'utf8').trim().split('\n');
const columns = header.split(',');
const [date, rain, warmest] = ['date', 'precipitation', 'temp_max'].map((name) => columns.indexOf(name));

/** @type {Map<string, string[]>} */
const months = new Map();
for (const line of lines) {
  const cells = line.split(',');
  const month = cells[date ?? 0]?.slice(5, 7) ?? '';
  const rows = months.get(month) ?? ['date,precipitation,temp_max'];
  rows.push([cells[date ?? 0], cells[rain ?? 0], cells[warmest ?? 0]].join(','));
  months.set(month, rows);
}

mkdirSync('months');
for (const [month, rows] of months) writeFileSync(`months/${month}.csv`, `${rows.join('\n')}\n`);
console.log(`wrote ${months.size} months`);
