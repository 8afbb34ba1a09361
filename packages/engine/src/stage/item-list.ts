import { SluiceError } from '../errors.js';
import { type Digest, digestOf } from '../model/digest.js';
import { asList, asObject, asText, expectKeys, type Fail, parseJson, placeOf } from '../model/json.js';
import { asDigest } from '../model/outs-json.js';
import { compareUtf8, type RelPath, tryParseRelPath } from '../model/path.js';

/** Some input files that one command turns into some files of the out. */
export interface Item {
  /** The path of its file below the pattern's base, or the name of its group. */
  readonly name: string;
  /** Relative to the workspace root, sorted. */
  readonly files: readonly RelPath[];
  /** Digest of all that decides what it makes. */
  readonly key: Digest;
}

/** Which files of an out an item made, and by which key. */
export interface MadeItem {
  readonly key: Digest;
  /** Paths below the out, sorted. */
  readonly files: readonly string[];
}

/** By name of the item. */
export type MadeItems = ReadonlyMap<string, MadeItem>;

/** An input file as a dep counts it: `blob sha256:…`. */
export interface ItemFile {
  readonly path: RelPath;
  readonly value: string;
}

/**
 * Puts files together to items. `shared` is the digest of what all items have in common. Throws `ERR_STAGE_DEFINITION` for a file that `groupBy` does not
 * fit.
 */
export function itemsOf(
  files: readonly ItemFile[],
  base: RelPath,
  groupBy: string | undefined,
  shared: Digest,
): Item[] {
  const expression = groupBy === undefined ? undefined : new RegExp(groupBy, 'u');
  const groups = new Map<string, ItemFile[]>();
  for (const file of files) {
    const below = base === '' ? file.path : file.path.slice(base.length + 1);
    const name = expression === undefined ? below : expression.exec(below)?.[1];
    if (name === undefined || name === '') {
      throw new SluiceError('ERR_STAGE_DEFINITION', `"groupBy" ${groupBy} gives no group for ${below}`, {
        hint: 'Correct the expression, or narrow "foreach".',
      });
    }
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return [...groups]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([name, members]) => {
      const sorted = [...members].sort((a, b) => compareUtf8(a.path, b.path));
      const lines = sorted.map(({ path, value }) => JSON.stringify([path, value]));
      return {
        name,
        files: sorted.map(({ path }) => path),
        key: digestOf(`sluice-item-1\n${shared}\n${lines.join('\n')}\n`),
      };
    });
}

/** The text of `OUT.items.json`: one line per item, sorted. */
export function printItems(items: MadeItems): string {
  const lines = [...items]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([name, { key, files }]) => {
      const sorted = [...files].sort(compareUtf8);
      return `    ${JSON.stringify(name)}: ${JSON.stringify({ key, files: sorted })}`;
    });
  return `{\n  "version": 1,\n  "items": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/** Reads `OUT.items.json`; `undefined` if anything in it is not as it was written: then every item runs. */
export function parseItems(text: string): MadeItems | undefined {
  class Unfit extends Error {}
  const fail: Fail = (place, problem) => {
    throw new Unfit(`${place} ${problem}`);
  };
  try {
    const document = asObject(parseJson(text, fail), '', fail);
    expectKeys(document, ['version', 'items'], '', fail);
    if (document.get('version') !== 1) return undefined;
    const items = new Map<string, MadeItem>();
    for (const [name, value] of asObject(document.get('items'), 'items', fail)) {
      const place = placeOf('items', name);
      const item = asObject(value, place, fail);
      expectKeys(item, ['key', 'files'], place, fail);
      const files = asList(item.get('files'), `${place}.files`, fail).map((file, i) => {
        const path = tryParseRelPath(asText(file, `${place}.files[${i}]`, fail));
        return path === undefined || path === '' ? fail(`${place}.files[${i}]`, 'is no path inside the out') : path;
      });
      items.set(name, { key: asDigest(item.get('key'), `${place}.key`, fail), files });
    }
    return items;
  } catch (error) {
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}
