// Puts the two tables in place that the workspace keeps by hand: a dataset arrives once, from wherever it comes.
// Here it comes from the npm package vega-datasets: daily weather of two cities, and 200,000 flights within the USA.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const source = join(dirname(createRequire(import.meta.url).resolve('vega-datasets/package.json')), 'data');
const tables = join(import.meta.dirname, 'tables');
mkdirSync(tables, { recursive: true });
for (const name of ['weather.csv', 'flights-200k.json']) copyFileSync(join(source, name), join(tables, name));
