// Stage 3: two small linear models. The temperature follows waves over the year; delays grow over the day.
import { dot, leastSquares, rSquared } from './least-squares.mjs';
import { plot } from './plot.mjs';
import { readCsv, readParams, round, write } from './tables.mjs';

const { harmonics } = readParams('fit');

const temperature = fit(
  readCsv('aggregated/days.csv').map(({ day, temperature: y, n }) => ({ at: day, y, weight: n })),
  (day) => [1, ...waves((2 * Math.PI * day) / 365.25)],
);
const delay = fit(
  readCsv('aggregated/hours.csv').map(({ hour, delay: y, n }) => ({ at: hour, y, weight: n })),
  (hour) => [1, hour],
);

const models = { temperature, delay };
const shown = ({ coefficients }) => coefficients.map((value) => round(value, 6));
const metricsOf = ({ samples, r2 }) => ({ samples: samples.length, r2: round(r2, 4) });
write('model.json', json({ temperature: shown(temperature), delay: shown(delay) }));
write('metrics.json', json({ temperature: metricsOf(temperature), delay: metricsOf(delay) }));
write(
  'plot.svg',
  plot([
    { ...models.temperature, title: 'Highest temperature by day of the year (°C)' },
    { ...models.delay, title: 'Mean delay by time of departure (minutes, hour)' },
  ]),
);
console.log(`temperature: R² ${round(temperature.r2)}, delay: R² ${round(delay.r2)}`);

function fit(points, features) {
  const samples = points.map((point) => ({ ...point, x: features(point.at) }));
  const coefficients = leastSquares(samples);
  const r2 = rSquared(samples, (x) => dot(coefficients, x));
  return { samples, coefficients, r2, predict: (at) => dot(coefficients, features(at)) };
}

function waves(angle) {
  return Array.from({ length: harmonics }, (_, k) => [Math.cos((k + 1) * angle), Math.sin((k + 1) * angle)]).flat();
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
