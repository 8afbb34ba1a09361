import { type CsvRowChange, compareCsv } from './compare-csv.js';
import { compareJson, type ValueChange } from './compare-json.js';
import { compareText } from './compare-text.js';

/** How the contents of a file differ. Lists end after {@link MOST_CHANGES}; `more` says how many were left out. */
export type ContentDiff =
  | { readonly kind: 'text'; readonly patch: string }
  | { readonly kind: 'json'; readonly changes: readonly ValueChange[]; readonly more: number }
  | {
      readonly kind: 'csv';
      readonly columns: { readonly added: readonly string[]; readonly deleted: readonly string[] };
      readonly rows: { readonly added: number; readonly deleted: number; readonly modified: number };
      readonly changes: readonly CsvRowChange[];
      readonly more: number;
    }
  | { readonly kind: 'binary' }
  | { readonly kind: 'different' };

/** A larger file is not compared. */
export const LARGEST_COMPARED_BYTES: number = 1024 * 1024;

const MOST_CHANGES = 200;

const TEXT_NAMES =
  /(?:^|\/)[^./]+$|\.(?:txt|md|csv|tsv|json|jsonl|ndjson|geojson|ya?ml|toml|ini|cfg|conf|properties|xml|html?|svg|log|tex|rst|sql|py|r|jl|js|mjs|cjs|ts|sh|ipynb|vtt|srt)$/i;

/** Whether a file of this name is one whose content can be compared. */
export function isTextName(path: string): boolean {
  return TEXT_NAMES.test(path);
}

/** Compares two contents by what the name says they are: values of JSON, rows and cells of CSV and TSV, lines of anything else that is text. */
export async function compareContent(path: string, before: Buffer, after: Buffer): Promise<ContentDiff> {
  const [old, now] = [before, after].map(decode);
  if (old === undefined || now === undefined) return { kind: 'binary' };
  const extension = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase();
  if (extension === 'json' || extension === 'geojson') {
    const changes = compareJson(old, now);
    if (changes !== undefined) return { kind: 'json', ...shortened(changes) };
  }
  if (extension === 'csv' || extension === 'tsv') {
    const compared = await compareCsv(old, now, extension === 'csv' ? ',' : '\t');
    if (compared !== undefined) {
      const { columns, rows, changes } = compared;
      return { kind: 'csv', columns, rows, ...shortened(changes) };
    }
  }
  const patch = await compareText(old, now);
  return patch === undefined ? { kind: 'different' } : { kind: 'text', patch };
}

function shortened<T>(changes: readonly T[]): { readonly changes: readonly T[]; readonly more: number } {
  return { changes: changes.slice(0, MOST_CHANGES), more: Math.max(0, changes.length - MOST_CHANGES) };
}

function decode(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
