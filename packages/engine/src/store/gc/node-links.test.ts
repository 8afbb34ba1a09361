import fc from 'fast-check';
import { RAW_DIGEST_BYTES, rawDigestOf } from '../../model/digest.js';
import { encodeDirectory } from '../../model/split.js';
import { decodeNode, SPLIT, TREE } from '../../model/tree.js';
import { readLinks } from './node-links.js';

const counts = fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 1200 }));

function nodes(count: number, seed: number): Buffer[] {
  const entries = {
    names: Array.from({ length: count }, (_, i) => `name ${String(i).padStart(5, '0')}${'x'.repeat((i * seed) % 130)}`),
    kinds: Uint8Array.from({ length: count }, (_, i) => (i * 7 + seed) % 4),
    sizes: Float64Array.from({ length: count }, (_, i) => (i * seed) ** 2),
    files: Float64Array.from({ length: count }, (_, i) => ((i * 7 + seed) % 4 === TREE ? i * seed : 1)),
    digests: Buffer.concat(Array.from({ length: count }, (_, i) => rawDigestOf(Buffer.from(`${i} ${seed}`)))),
  };
  const { top, parts } = encodeDirectory(entries);
  return [top.bytes, ...parts.map((part) => part.bytes)];
}

test('names the same digests as the full decoder', () => {
  fc.assert(
    fc.property(counts, fc.nat(1000), (count, seed) => {
      for (const bytes of nodes(count, seed)) {
        const node = decodeNode(bytes, 'x');
        const links = readLinks(bytes, 'x');
        const digests = [...links.digestAt].map((at) => bytes.subarray(at, at + RAW_DIGEST_BYTES));
        expect(Buffer.concat(digests)).toEqual(node.digests);
        expect([...links.isNode]).toEqual(
          [...node.kinds].map((kind) => (node.shape === SPLIT || kind === TREE ? 1 : 0)),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('refuses cut, longer and altered nodes, or reads within their bounds', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(1000), fc.nat(), fc.nat(255), (count, seed, at, byte) => {
      const [bytes = Buffer.alloc(0)] = nodes(count, seed);
      expect(() => readLinks(bytes.subarray(0, at % bytes.length), 'x')).toThrow('is damaged');
      expect(() => readLinks(Buffer.concat([bytes, Buffer.from([byte])]), 'x')).toThrow('is damaged');
      const altered = Buffer.from(bytes);
      altered[at % bytes.length] = byte;
      try {
        for (const from of readLinks(altered, 'x').digestAt)
          expect(from + RAW_DIGEST_BYTES).toBeLessThanOrEqual(altered.length);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_TREE_INVALID' });
      }
    }),
    { numRuns: 300 },
  );
});
