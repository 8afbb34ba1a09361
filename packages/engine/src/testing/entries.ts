import fc from 'fast-check';
import { RAW_DIGEST_BYTES, rawDigestOf } from '../model/digest.js';
import { nameProblem, sortUtf8 } from '../model/path.js';
import { type Entries, FILE, TREE } from '../model/tree.js';

/** One entry of a directory; what is not given is made up from its name. */
export interface TestEntry {
  readonly name: string;
  readonly kind?: number;
  readonly size?: number;
  readonly files?: number;
  readonly content?: string;
}

/** The columns of a directory, sorted. */
export function entriesOf(list: readonly TestEntry[]): Entries {
  const byName = new Map(list.map((entry) => [entry.name, entry]));
  const names = sortUtf8([...byName.keys()]);
  const columns = {
    names,
    kinds: new Uint8Array(names.length),
    sizes: new Float64Array(names.length),
    files: new Float64Array(names.length),
    digests: Buffer.alloc(names.length * RAW_DIGEST_BYTES),
  };
  names.forEach((name, i) => {
    const entry = byName.get(name);
    const content = entry?.content ?? name;
    columns.kinds[i] = entry?.kind ?? FILE;
    columns.sizes[i] = entry?.size ?? Buffer.byteLength(content);
    columns.files[i] = columns.kinds[i] === TREE ? (entry?.files ?? 1) : 1;
    rawDigestOf(Buffer.from(content)).copy(columns.digests, i * RAW_DIGEST_BYTES);
  });
  return columns;
}

/** Names that a file can have: ordinary ones, and the odd ones that programs forget about. */
export const fileName: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z]{1,3}$/) },
    fc.constantFrom(
      '-rf',
      '--',
      ' ',
      'a b',
      'new\nline',
      '.hidden',
      '...',
      'é',
      'e\u0301',
      '\ufffd',
      '\u{1f600}',
      '~',
      '$HOME',
      'con',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  )
  .filter((name) => nameProblem(name) === undefined && Buffer.byteLength(name) <= 255);

/** The entries of any one directory. */
export const directoryEntries: fc.Arbitrary<readonly TestEntry[]> = fc.uniqueArray(
  fc.record({
    name: fileName,
    kind: fc.integer({ min: 0, max: 3 }),
    size: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 40 })),
    files: fc.nat(5000),
  }),
  { selector: ({ name }) => name, maxLength: 20 },
);
