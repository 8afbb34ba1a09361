// Stage 2: one mean for each day of the year, and one for each part of the day.
import { readCsv, readParams, round, writeCsv } from './tables.mjs';

const { minutesPerBin } = readParams('aggregate');

const days = means(readCsv('selected/weather.csv'), ({ date }) => dayOfYear(date), 'temp_max');
writeCsv(
  'aggregated/days.csv',
  days.map(({ key, mean, n }) => ({ day: key, temperature: mean, n })),
);

const hoursPerBin = minutesPerBin / 60;
const hours = means(
  readCsv('selected/flights.csv'),
  ({ time }) => round((Math.floor(time / hoursPerBin) + 0.5) * hoursPerBin),
  'delay',
);
writeCsv(
  'aggregated/hours.csv',
  hours.map(({ key, mean, n }) => ({ hour: key, delay: mean, n })),
);
console.log(`${days.length} days of the year, ${hours.length} parts of the day`);

function means(rows, keyOf, column) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key) ?? { sum: 0, n: 0 };
    group.sum += row[column];
    group.n += 1;
    groups.set(key, group);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([key, { sum, n }]) => ({ key, mean: round(sum / n), n }));
}

function dayOfYear(date) {
  const [year, month, day] = date.split('-').map(Number);
  return (Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 0)) / 86_400_000;
}
