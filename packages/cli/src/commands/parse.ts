import type { ByteRangeOption } from '@sluice/engine';
import { InvalidArgumentError } from 'commander';

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};

const AGES_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3.6e6, d: 86.4e6, w: 604.8e6 };

/** `500MB`, `1.5GiB`, `1024` in bytes. */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = SIZES[unit.toUpperCase()];
  if (number === '' || factor === undefined) throw new InvalidArgumentError('Write a size as 500MB, 1.5GiB or 1024.');
  return Math.floor(Number(number) * factor);
}

/** `14d`, `12h`, `30m` in milliseconds. */
export function parseAge(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const factor = AGES_MS[unit];
  if (number === '' || factor === undefined) throw new InvalidArgumentError('Write an age as 30m, 12h, 14d or 2w.');
  return Number(number) * factor;
}

/** A whole number from 1 up. */
export function parseCount(text: string): number {
  if (!/^[1-9][0-9]*$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 up.');
  return Number(text);
}

/** `0-99` (both included), `100-`, `-10`, as in HTTP. */
export function parseRange(text: string): ByteRangeOption {
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(text) ?? [];
  const [from, to] = [first, last].map(Number);
  const isSafe = [from, to].every((number) => Number.isSafeInteger(number));
  if (isSafe && first === '' && last !== '' && to !== undefined && to > 0) return { last: to };
  if (isSafe && first !== '' && last === '' && from !== undefined) return { offset: from };
  if (isSafe && first !== '' && last !== '' && from !== undefined && to !== undefined && from <= to) {
    return { offset: from, length: to - from + 1 };
  }
  throw new InvalidArgumentError('Write a range as 0-1048575, 4096- or -1024.');
}

/** A whole number from 0 up. */
export function parseSeed(text: string): number {
  const seed = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('Write a whole number from 0 up.');
  return seed;
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
