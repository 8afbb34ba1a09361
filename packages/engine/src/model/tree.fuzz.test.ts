import fc from 'fast-check';
import { directoryEntries, entriesOf } from '../testing/entries.js';
import { damage, damaged, fuzzRuns, valueOrCode } from '../testing/fuzz.js';
import { encodeDirectory } from './split.js';
import { decodeNode, encodeNode, TREE, type TreeNode, WHOLE } from './tree.js';

const CODES = ['ERR_TREE_INVALID', 'ERR_FORMAT_VERSION'];

/** Bytes are taken only if they are the canonical bytes of what was read; so whatever is taken has one digest. */
function readsCanonically(bytes: Buffer): void {
  const read = valueOrCode(() => decodeNode(bytes, 'test'));
  if ('code' in read) expect(CODES).toContain(read.code);
  else expect(encodeNode(read.value.shape, read.value, 0, undefined, read.value.counts).equals(bytes)).toBe(true);
}

test('what is written is read', () => {
  fc.assert(
    fc.property(directoryEntries, (list) => {
      const entries = entriesOf(list);
      const node: TreeNode = decodeNode(encodeNode(WHOLE, entries), 'test');
      expect(node.names).toEqual(entries.names);
      expect(node.kinds).toEqual(entries.kinds);
      expect(node.sizes).toEqual(entries.sizes);
      expect([...node.files]).toEqual([...entries.files].map((files, i) => (node.kinds[i] === TREE ? files : 1)));
      expect(node.digests.equals(entries.digests)).toBe(true);
    }),
    fuzzRuns(),
  );
});

test('damaged nodes are refused with a code, or are canonical all the same', () => {
  fc.assert(
    fc.property(directoryEntries, fc.array(damage, { minLength: 1, maxLength: 3 }), (list, damages) => {
      readsCanonically(damages.reduce(damaged, encodeNode(WHOLE, entriesOf(list))));
    }),
    fuzzRuns(1000),
  );
});

const split = encodeDirectory(entriesOf(Array.from({ length: 1500 }, (_, i) => ({ name: `f${i}` }))));

test('so are damaged split nodes and parts', () => {
  const nodes = [split.top, ...split.parts].map(({ bytes }) => bytes);
  fc.assert(
    fc.property(fc.constantFrom(...nodes), damage, (bytes, what) => readsCanonically(damaged(bytes, what))),
    fuzzRuns(100, 0.2),
  );
});

test('so are bytes that were never a node', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
      readsCanonically(Buffer.from(tail));
      readsCanonically(Buffer.concat([Buffer.from('SLT1'), tail]));
    }),
    fuzzRuns(),
  );
});
