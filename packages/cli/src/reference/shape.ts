/**
 * The shape of a JSON document: objects with their keys, lists with one shape for all their values, and what stands for a value in words (`number`, `digest or null`). A key
 * that ends with `?` may be absent, `*` stands for any keys; `null or` before a shape is written as {@link OrNull}.
 */
export type Shape = string | readonly [Shape] | OrNull | ObjectShape;

/** An object with its keys. */
export interface ObjectShape {
  readonly [key: string]: Shape;
}

/** A shape, or `null`. */
export class OrNull {
  readonly shape: Shape;
  constructor(shape: Shape) {
    this.shape = shape;
  }
}

/** As documentation shows it. */
export function printShape(shape: Shape, indent = ''): string {
  if (typeof shape === 'string') return shape;
  if (shape instanceof OrNull) return `null or ${printShape(shape.shape, indent)}`;
  if (isList(shape)) return `[${printShape(shape[0], indent)}, …]`;
  const inner = `${indent}  `;
  const flat = Object.values(shape).every((value) => typeof value === 'string');
  const parts = Object.entries(shape).map(([key, value]) => `${keyText(key)}: ${printShape(value, inner)}`);
  const line = `{ ${parts.join(', ')} }`;
  if (flat && line.length + indent.length <= LONGEST_LINE) return line;
  return `{\n${parts.map((part) => `${inner}${part}`).join(',\n')}\n${indent}}`;
}

const LONGEST_LINE = 100;

/** Where a document does not have a shape; empty if it has. @internal */
export function shapeProblems(shape: Shape, value: unknown, place = 'document'): string[] {
  if (shape instanceof OrNull) return value === null ? [] : shapeProblems(shape.shape, value, place);
  if (typeof shape === 'string') return typeof value === 'object' && value !== null ? [`${place} is no ${shape}`] : [];
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${place} is no list`];
    return value.flatMap((one, i) => shapeProblems(shape[0], one, `${place}[${i}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${place} is no object`];
  const entries = new Map<string, unknown>(Object.entries(value));
  const missing = Object.keys(shape).filter((key) => !/[?*]$/.test(key) && !entries.has(key));
  return [
    ...missing.map((key) => `${place}.${key} is missing`),
    ...[...entries].flatMap(([key, one]) => {
      const below = shape[key] ?? shape[`${key}?`] ?? shape['*'];
      return below === undefined ? [`${place}.${key} is not described`] : shapeProblems(below, one, `${place}.${key}`);
    }),
  ];
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function keyText(key: string): string {
  return key === '*' ? '*' : key.endsWith('?') ? `"${key.slice(0, -1)}"?` : `"${key}"`;
}
