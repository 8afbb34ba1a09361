const WIDTH = 640;
const HEIGHT = 280;
const MARGIN = 40;

/** An SVG picture with one panel for each model: its samples as dots, its prediction as a line. */
export function plot(models) {
  const panels = models.map((model, at) => `<g transform="translate(0 ${at * HEIGHT})">\n${panel(model)}\n</g>`);
  const size = `width="${WIDTH}" height="${HEIGHT * models.length}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panel({ title, samples, predict, r2 }) {
  const x = scale(
    samples.map(({ at }) => at),
    MARGIN,
    WIDTH - MARGIN / 2,
  );
  const y = scale(
    samples.map((sample) => sample.y),
    HEIGHT - MARGIN,
    MARGIN,
  );
  const dots = samples.map((sample) => `<circle cx="${x.of(sample.at)}" cy="${y.of(sample.y)}" r="2"/>`);
  const line = Array.from({ length: 121 }, (_, step) => x.min + ((x.max - x.min) * step) / 120);
  const points = line.map((at) => `${x.of(at)},${y.of(predict(at))}`).join(' ');
  return [
    `<text x="${MARGIN}" y="24" font-size="14">${title}, R² = ${r2.toFixed(3)}</text>`,
    `<path d="M${MARGIN} ${MARGIN}V${HEIGHT - MARGIN}H${WIDTH - MARGIN / 2}" fill="none" stroke="#888"/>`,
    ...[y.min, y.max].map(
      (value) => `<text x="${MARGIN - 6}" y="${y.of(value)}" text-anchor="end">${value.toFixed(0)}</text>`,
    ),
    ...[x.min, x.max].map(
      (value) => `<text x="${x.of(value)}" y="${HEIGHT - MARGIN + 16}" text-anchor="middle">${value.toFixed(0)}</text>`,
    ),
    `<g fill="#4c78a8" fill-opacity="0.6">${dots.join('')}</g>`,
    `<polyline points="${points}" fill="none" stroke="#e45756" stroke-width="2"/>`,
  ].join('\n');
}

function scale(values, from, to) {
  const min = Math.min(...values);
  const max = Math.max(...values);
  return { min, max, of: (value) => Number((from + ((value - min) / (max - min)) * (to - from)).toFixed(1)) };
}
