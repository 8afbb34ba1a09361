import { isObject, type JsonObject } from './merge-target.js';

/** One combination of a matrix. */
export interface MatrixStage {
  /** `train@1-a` */
  readonly target: string;
  /** Without the matrix, and with its values in place of `{matrix.NAME}`. */
  readonly options: JsonObject;
}

/** What is wrong with a matrix and what to do about it. */
export interface MatrixProblem {
  readonly message: string;
  readonly hint: string;
}

type Value = string | number | boolean;

/** More stages than this from one target are a mistake. */
const MOST_STAGES = 1000;
const TOKEN = /\{matrix\.([^{}]*)\}/g;

/**
 * The stages that a target with a matrix stands for, one per combination, the last axis fastest: `{"seed": [1, 2], "model": ["a", "b"]}` of `train` makes
 * `train@1-a`, `train@1-b`, `train@2-a` and `train@2-b`. `undefined` if there is no matrix or it is wrong (see {@link matrixProblem}).
 */
export function expandMatrix(target: string, options: JsonObject): MatrixStage[] | undefined {
  const { matrix, ...rest } = options;
  if (matrix === undefined || matrixProblem(options) !== undefined) return undefined;
  return combinations(axesOf(matrix)).map((values) => ({
    target: nameOf(target, values),
    options: replaceIn(rest, values) as JsonObject,
  }));
}

/** The options of a configuration of one combination: the values of its matrix in place of tokens. A matrix of its own stays, and is a mistake. */
export function fillMatrix(options: JsonObject, overlay: JsonObject, index: number): JsonObject {
  const values = combinations(axesOf(options.matrix))[index];
  return values === undefined ? overlay : (replaceIn(overlay, values) as JsonObject);
}

/** That options which one stage got have a matrix: stages are named before a configuration is chosen, so it would be without effect. */
export const MATRIX_OF_CONFIGURATION: MatrixProblem = {
  message: 'is another one than in "options" of the target, which alone says what stages there are',
  hint: 'Remove it from the configuration or the command line. For other values give another target a matrix of its own.',
};

/** What is wrong with the matrix of a target's options; nothing if it has none. */
export function matrixProblem(options: JsonObject): MatrixProblem | undefined {
  const { matrix, ...rest } = options;
  const unknown = (names: readonly string[]): string | undefined =>
    tokensIn(rest).find((token) => !names.includes(token));
  if (matrix === undefined) {
    const token = unknown([]);
    return token === undefined
      ? undefined
      : { message: `is missing, but {matrix.${token}} is used`, hint: `Add "matrix": {"${token}": […]}.` };
  }
  if (!isObject(matrix) || Object.keys(matrix).length === 0) {
    return { message: 'is no object with lists of values', hint: 'Write "matrix": {"seed": [1, 2, 3]}.' };
  }
  for (const [name, values] of Object.entries(matrix)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      return { message: `has an axis named ${JSON.stringify(name)}`, hint: 'Use letters, digits and "_".' };
    }
    if (!Array.isArray(values) || values.length === 0 || !values.every(isValue)) {
      return {
        message: `has an axis ${name} that is no list of texts, numbers, true or false`,
        hint: 'A text may hold letters, digits and . _ + -, since it becomes part of a name.',
      };
    }
  }
  const axes = axesOf(matrix);
  const count = axes.reduce((product, [, values]) => product * values.length, 1);
  if (count > MOST_STAGES) {
    return { message: `makes ${count} stages`, hint: `At most ${MOST_STAGES} can come from one target.` };
  }
  const names = combinations(axes).map((values) => nameOf('', values));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    return { message: `makes two stages with the name ${twice}`, hint: 'Choose values that can be told apart.' };
  }
  const token = unknown(axes.map(([name]) => name));
  if (token === undefined) return undefined;
  return { message: `has no axis ${token}, but {matrix.${token}} is used`, hint: 'Correct the name, or add the axis.' };
}

function axesOf(matrix: unknown): (readonly [name: string, values: readonly Value[]])[] {
  return Object.entries(isObject(matrix) ? matrix : {}).map(([name, values]) => [name, values as Value[]]);
}

function isValue(value: unknown): value is Value {
  return typeof value === 'string'
    ? /^[A-Za-z0-9._+-]+$/.test(value)
    : typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

type Combination = ReadonlyMap<string, Value>;

function combinations(axes: readonly (readonly [string, readonly Value[]])[]): Combination[] {
  return axes.reduce<Combination[]>(
    (before, [name, values]) => before.flatMap((chosen) => values.map((value) => new Map([...chosen, [name, value]]))),
    [new Map()],
  );
}

function nameOf(target: string, values: Combination): string {
  return `${target}@${[...values.values()].join('-')}`;
}

function replaceIn(value: unknown, values: Combination): unknown {
  if (typeof value === 'string') return value.replace(TOKEN, (_, name: string) => String(values.get(name)));
  if (Array.isArray(value)) return value.map((element) => replaceIn(element, values));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaceIn(entry, values)]));
}

function tokensIn(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(TOKEN)].map(([, name = '']) => name);
  if (Array.isArray(value)) return value.flatMap(tokensIn);
  return isObject(value) ? Object.values(value).flatMap(tokensIn) : [];
}
