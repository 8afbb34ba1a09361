import { SluiceError } from '../errors.js';
import { isArea } from '../model/record.js';

/** The trust namespace that a writer writes in. Made only by {@link parseArea} and the functions of this file. */
export type Area = 'trusted' | 'shared' | `pr/${number}`;

/** Where a writer of one area looks, in this order. */
export interface AreaOrder {
  /** The only area that is written. */
  readonly own: Area;
  /** Areas whose maps prove that a root is complete, and whose objects a map of this writer may name: its own and more trusted ones. */
  readonly proof: readonly Area[];
  /** Areas whose records are believed. */
  readonly records: readonly Area[];
  /** Areas whose maps may be used to find bytes, which are checked by digest. */
  readonly bytes: readonly Area[];
}

/** Parses the name of an area. Throws `ERR_USAGE`. */
export function parseArea(text: string): Area {
  if (!isArea(text)) {
    throw new SluiceError('ERR_USAGE', `not a trust area: ${JSON.stringify(text)}`, {
      hint: 'An area is `trusted`, `shared` or `pr/` and the number of a pull request.',
    });
  }
  return text as Area;
}

/** The area of a writer who may write in `decided` and asks for another: one that is trusted more, or as much, is not given. Throws `ERR_USAGE`. */
export function lowerArea(decided: Area, asked: string | undefined): Area {
  if (asked === undefined) return decided;
  const wanted = parseArea(asked);
  return areaNumber(wanted) > areaNumber(decided) ? wanted : decided;
}

/** Where a writer of `own` looks. */
export function areaOrder(own: Area): AreaOrder {
  if (own === 'trusted') return { own, proof: [own], records: [own], bytes: [own, 'shared'] };
  const proof = [own, 'trusted'] as const;
  const records = ['trusted', own] as const;
  return { own, proof, records, bytes: own === 'shared' ? proof : [...proof, 'shared'] };
}

/** Whether who works in `own` believes a record of `area`, wherever it is kept. Throws `ERR_USAGE` if `own` is none. */
export function believesRecord(own: string, { area }: { readonly area: string }): boolean {
  return areaOrder(parseArea(own)).records.some((believed) => believed === area);
}

/** The number of an area in a map or in the have-index. */
export function areaNumber(area: Area): number {
  return area === 'trusted' ? 0 : area === 'shared' ? 1 : 2;
}

/** The area that a number means in a map or a record of area `home`; `undefined` if it means nothing there. */
export function areaOf(number: number, home: Area): Area | undefined {
  if (number === 0) return 'trusted';
  if (number === 1) return 'shared';
  return number === 2 && areaNumber(home) === 2 ? home : undefined;
}
