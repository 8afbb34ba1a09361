import { createRequire } from 'node:module';

/** A place in a JSON document: keys and indexes from the root; the index -1 is behind the last element of a list. */
export type JsonPlace = readonly (string | number)[];

/** Where a new key goes among those of its object; behind the last one when it is not given. */
export type KeyOrder = (keys: string[]) => number;

/**
 * Sets one value in JSON as Nx reads it, where comments and commas before a closing bracket are allowed. All else stays as it is written; what is
 * new is indented like the rest. The text must be JSON, and the objects on the way to the place must be objects.
 */
export function setInJsonc(text: string, place: JsonPlace, value: unknown, order?: KeyOrder): string {
  const { applyEdits, modify }: typeof import('jsonc-parser') = createRequire(import.meta.url)('jsonc-parser');
  const indent = /^[{[]\s*\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  const edits = modify(text, [...place], value, {
    formattingOptions: {
      insertSpaces: !indent.includes('\t'),
      tabSize: indent.includes('\t') ? 1 : indent.length,
      eol: text.includes('\r\n') ? '\r\n' : '\n',
    },
    isArrayInsertion: place.at(-1) === -1,
    ...(order === undefined ? {} : { getInsertionIndex: order }),
  });
  return applyEdits(text, edits);
}

/** The order of names, as package managers write dependencies. */
export function sortedKey(key: string): KeyOrder {
  return (keys) => {
    const at = keys.findIndex((other) => other > key);
    return at === -1 ? keys.length : at;
  };
}
