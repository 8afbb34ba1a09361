// Stage 1: the rows and columns that the model is about.
import { readFileSync } from 'node:fs';
import { readCsv, readParams, round, writeCsv } from './tables.mjs';

const { city, earliestHour } = readParams('select');

const weather = readCsv('../data/tables/weather.csv').filter(({ location }) => location === city);
writeCsv(
  'selected/weather.csv',
  weather.map(({ date, temp_max }) => ({ date, temp_max })),
);

const flights = JSON.parse(readFileSync('../data/tables/flights-200k.json', 'utf8'));
const kept = flights.filter(({ time }) => time >= earliestHour);
writeCsv(
  'selected/flights.csv',
  kept.map(({ delay, distance, time }) => ({ delay, distance, time: round(time) })),
);
console.log(`${weather.length} days of weather in ${city}, ${kept.length} of ${flights.length} flights`);
