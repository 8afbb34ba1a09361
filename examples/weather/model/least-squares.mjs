/**
 * Weighted linear least squares: the coefficients c that make the sum of `weight * (y - c . x)^2` smallest.
 * Solves the normal equations by Gauss-Jordan elimination; good enough for a handful of columns.
 */
export function leastSquares(samples) {
  const size = samples[0].x.length;
  const rows = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => sum(samples, ({ x, weight }) => weight * x[i] * x[j])),
    sum(samples, ({ x, y, weight }) => weight * x[i] * y),
  ]);
  for (let column = 0; column < size; column += 1) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]) > Math.abs(best[column]) ? row : best));
    rows.splice(rows.indexOf(pivot), 1, rows[column]);
    rows[column] = pivot.map((value) => value / pivot[column]);
    for (const [at, row] of rows.entries()) {
      if (at !== column) rows[at] = row.map((value, k) => value - row[column] * rows[column][k]);
    }
  }
  return rows.map((row) => row[size]);
}

/** The share of the weighted variance that a prediction explains. */
export function rSquared(samples, predict) {
  const mean = sum(samples, ({ y, weight }) => weight * y) / sum(samples, ({ weight }) => weight);
  const left = sum(samples, ({ x, y, weight }) => weight * (y - predict(x)) ** 2);
  return 1 - left / sum(samples, ({ y, weight }) => weight * (y - mean) ** 2);
}

/** The prediction of coefficients for one sample. */
export function dot(coefficients, x) {
  return coefficients.reduce((total, value, at) => total + value * x[at], 0);
}

function sum(samples, of) {
  return samples.reduce((total, sample) => total + of(sample), 0);
}
