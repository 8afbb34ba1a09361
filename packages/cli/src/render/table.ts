/** Lines of cells under each other, two spaces apart. A cell that is not the last of its row has the width of its column. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, lengthOf(cell));
    });
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - lengthOf(cell)));
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

const PLAIN = /^[\x20-\x7e]*$/;

/** In characters, as near to what a terminal shows as one gets without its tables. */
function lengthOf(text: string): number {
  return PLAIN.test(text) ? text.length : [...text].length;
}
