import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { compareUtf8 } from './path.js';

/** Which files of an out a sample takes; files count by their paths, in the order of UTF-8 bytes. */
export type Sample =
  /** `random:A/B`: of all files A in B, rounded. */
  | { readonly kind: 'random'; readonly amount: number; readonly of: number }
  /** `group:A/B`: A of each B that follow each other; of a shorter rest at the end at most A. */
  | { readonly kind: 'group'; readonly amount: number; readonly of: number }
  /** `range:START:STOP[:STEP]`: from START up to, and without, STOP; no STOP is the end. */
  | { readonly kind: 'range'; readonly start: number; readonly stop: number | undefined; readonly step: number };

const HINT = 'Write random:1/10, group:1/5 or range:0:100:5; a range may end with "all".';

/** Parses `random:A/B`, `group:A/B` or `range:START:STOP[:STEP]`. Throws `ERR_USAGE` for another form, and for limits that make no sense. */
export function parseSample(text: string): Sample {
  const share = /^(random|group):(\d{1,9})\/(\d{1,9})$/.exec(text);
  if (share !== null) {
    const [amount, of] = [Number(share[2]), Number(share[3])];
    if (amount < 1 || amount >= of) throw usage(`${text}: ${amount} of ${of} is not a part of the files`);
    return { kind: share[1] === 'group' ? 'group' : 'random', amount, of };
  }
  const range = /^range:(\d{1,9}):(\d{1,9}|all|-1)(?::(\d{1,9}))?$/.exec(text);
  if (range === null) throw usage(`${JSON.stringify(text)} is no sample`);
  const [start, stop, step] = [Number(range[1]), toStop(range[2]), Number(range[3] ?? 1)];
  if (step < 1) throw usage(`${text}: a step is at least 1`);
  if (stop !== undefined && start >= stop) throw usage(`${text} begins at or after its end`);
  if (stop !== undefined && step >= stop) throw usage(`${text}: its step is not smaller than its end`);
  return { kind: 'range', start, stop, step };
}

/**
 * The paths that a sample takes. `random` and `group` take the paths with the smallest scores; a path's score is the SHA-256 of the seed in decimal digits, a newline and
 * the path. So the choice depends on nothing but seed and paths, and most of it stays when files are added. Throws `ERR_USAGE` for limits that the number of
 * paths does not allow.
 */
export function chooseSample(sample: Sample, seed: number, paths: readonly string[]): string[] {
  const sorted = [...paths].sort(compareUtf8);
  const count = sorted.length;
  if (sample.kind === 'range') {
    const { start, stop = count, step } = sample;
    if (stop > count || start >= count) throw usage(`range ${start}:${stop} of ${count} files`);
    return sorted.slice(start, stop).filter((_, i) => i % step === 0);
  }
  const { amount, of } = sample;
  if (sample.kind === 'random') return lowest(seed, sorted, Math.round((amount * count) / of));
  if (of >= count) throw usage(`groups of ${of} among ${count} files`);
  const chosen: string[] = [];
  for (let at = 0; at < count; at += of) chosen.push(...lowest(seed, sorted.slice(at, at + of), amount));
  return chosen;
}

/** Those with the smallest scores, in the order that they had. */
function lowest(seed: number, paths: readonly string[], amount: number): string[] {
  if (amount >= paths.length) return [...paths];
  const scored = paths.map((path, at) => ({
    at,
    path,
    score: createHash('sha256').update(`${seed}\n${path}`).digest(),
  }));
  scored.sort((a, b) => a.score.compare(b.score));
  return scored
    .slice(0, amount)
    .sort((a, b) => a.at - b.at)
    .map(({ path }) => path);
}

function toStop(text: string | undefined): number | undefined {
  return text === 'all' || text === '-1' ? undefined : Number(text);
}

function usage(problem: string): SluiceError {
  return new SluiceError('ERR_USAGE', `--sample ${problem}`, { hint: HINT });
}
