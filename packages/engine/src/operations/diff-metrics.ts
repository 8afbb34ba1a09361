import { SluiceError } from '../errors.js';
import { compareUtf8 } from '../model/path.js';
import { parseParamText } from '../stage/param-file.js';
import { LARGEST_COMPARED_BYTES } from './content/compare-content.js';
import type { OperationContext } from './context.js';
import type { Side, SideOut } from './diff-sides.js';
import { readSmallFiles, type SmallFile } from './read-small.js';

/** A number, text or flag in a metrics file. */
export type MetricValue = number | string | boolean | null;

/** A value of a metrics out that differs; `null` where a side has none. */
export interface MetricChange {
  readonly project: string;
  readonly target: string;
  readonly path: string;
  /** `accuracy`, `train.loss`. */
  readonly name: string;
  readonly before: MetricValue;
  readonly after: MetricValue;
}

/** The metrics of an out on both sides; `undefined` where a side does not have the out. */
export interface MetricsOut {
  readonly before: SideOut | undefined;
  readonly after: SideOut | undefined;
}

const DEEPEST = 32;

/** The values in which outs that are declared as metrics differ, in JSON, YAML or TOML. A file that is no such thing, or can be had nowhere, is left out and told. */
export async function diffMetrics(
  context: OperationContext,
  sides: { readonly before: Side; readonly after: Side },
  outs: readonly MetricsOut[],
): Promise<MetricChange[]> {
  const filesOf = (side: 'before' | 'after'): SmallFile[] =>
    outs.flatMap(({ [side]: out }) => (out === undefined || !isSmallFile(out) ? [] : [smallFile(out)]));
  const old = await readSmallFiles(context, sides.before.name, filesOf('before'));
  const now = await readSmallFiles(context, sides.after.name, filesOf('after'));
  const changes: MetricChange[] = [];
  for (const { before, after } of outs) {
    const of = after ?? before;
    if (of === undefined || isLost(before, old) || isLost(after, now)) continue;
    const was = await valuesOf(context, before, old);
    const is = await valuesOf(context, after, now);
    for (const name of [...new Set([...was.keys(), ...is.keys()])].sort(compareUtf8)) {
      const values = { before: was.get(name) ?? null, after: is.get(name) ?? null };
      if (values.before !== values.after) changes.push({ ...of.stage.id, path: of.out.path, name, ...values });
    }
  }
  return changes;
}

function isSmallFile({ root }: SideOut): boolean {
  return root.kind === 'blob' && root.bytes <= LARGEST_COMPARED_BYTES;
}

function smallFile(out: SideOut): SmallFile {
  return { out, path: '', digest: out.root.digest, bytes: out.root.bytes };
}

/** A side that exists and cannot be read says nothing about what changed. */
function isLost(out: SideOut | undefined, contents: ReadonlyMap<string, Buffer>): boolean {
  return out !== undefined && !contents.has(out.root.digest);
}

async function valuesOf(
  context: OperationContext,
  out: SideOut | undefined,
  contents: ReadonlyMap<string, Buffer>,
): Promise<Map<string, MetricValue>> {
  const values = new Map<string, MetricValue>();
  const bytes = out && contents.get(out.root.digest);
  if (out === undefined || bytes === undefined) return values;
  try {
    collect(await parseParamText(out.out.path, bytes.toString('utf8')), '', 0, values);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const message = `the metrics in ${out.out.path} cannot be compared: ${error.message.replace(/^param file /, '')}`;
    context.emit({ type: 'warning', code: error.code, message });
  }
  return values;
}

function collect(value: unknown, name: string, depth: number, values: Map<string, MetricValue>): void {
  if (typeof value === 'object' && value !== null && depth < DEEPEST) {
    for (const [key, below] of Object.entries(value)) {
      collect(below, name === '' ? key : `${name}.${key}`, depth + 1, values);
    }
    return;
  }
  if (typeof value === 'bigint') values.set(name, Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
  else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    values.set(name, value);
}
