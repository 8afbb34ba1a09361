import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { readBase } from './base.js';
import { type ChunkRow, readChunksOf, writeChunk } from './chunk.js';
import { rawDigestOf } from './digest.js';
import { encodeMap, type MapDraft, writeLocation, writeNodeRow } from './encode-map.js';
import {
  CHUNK_ROW_BYTES,
  decodeMap,
  IN_CHUNKS,
  IN_MAP,
  IN_PACK,
  LOCATION_BYTES,
  MAP_HEADER_BYTES,
  NODE_ROW_BYTES,
  type NodeRow,
  OWN_KEY,
  PATCHED,
  parseMapFront,
  parseMapHeader,
  readLocation,
} from './map.js';
import { CODEC_PATCH, CODEC_ZSTD } from './pack.js';
import { withSignature } from './sign-map.js';

const raw = (text: string): Buffer => rawDigestOf(Buffer.from(text));
const name = (text: string): Buffer => raw(text).subarray(0, 16);

function nodeRows(...rows: Partial<NodeRow>[]): Buffer {
  const bytes = Buffer.alloc(rows.length * NODE_ROW_BYTES);
  const empty: NodeRow = {
    how: IN_PACK,
    codec: 0,
    place: 0,
    offset: 8,
    stored: 100,
    full: 100,
    nodes: 1,
    trees: 1,
    firstLocation: 0,
    locations: 0,
  };
  rows.forEach((row, i) => {
    writeNodeRow(bytes, i * NODE_ROW_BYTES, { ...empty, ...row });
  });
  return bytes;
}

const elsewhere = { how: IN_MAP, stored: 0, full: 0 } as const;

/** A root with two files, a directory in another map (3 nodes), and a directory with a file of its own. */
function sample(): MapDraft {
  const locations = Buffer.alloc(3 * LOCATION_BYTES);
  writeLocation(locations, 0, { how: IN_PACK, codec: 0, pack: 1, offset: 8, stored: 275, area: 0 });
  writeLocation(locations, 16, { how: OWN_KEY, codec: 0, pack: 0, offset: 0, stored: 0, area: 1 });
  writeLocation(locations, 32, { how: IN_PACK, codec: 0, pack: 1, offset: 327, stored: 0, area: 0 });
  return {
    rootKind: 'tree',
    root: raw('root'),
    files: 50,
    bytes: 9_000_000_000,
    blobBytes: 8_999_999_999,
    blobs: 49,
    trees: 5,
    packs: [
      { area: 1, raw: name('trees') },
      { area: 0, raw: name('blobs') },
    ],
    maps: [{ area: 0, raw: raw('other') }],
    nodes: nodeRows(
      { nodes: 5, trees: 5, locations: 3 },
      { ...elsewhere, place: 0, offset: 7, nodes: 3, trees: 3, firstLocation: 2 },
      { offset: 152, firstLocation: 2, locations: 1 },
    ),
    locations,
    slices: Buffer.concat([raw('slice 1'), raw('slice 2')]),
  };
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'no error';
  } catch (error) {
    return error instanceof SluiceError ? error.code : String(error);
  }
};

test('a map is these bytes', () => {
  const bytes = encodeMap(sample());
  expect(bytes.length).toBe(MAP_HEADER_BYTES + 2 * 17 + 33 + 3 * 32 + 3 * 16 + 2 * 32);
  expect(bytes.toString('hex', 0, 92)).toBe(
    `534c4d5001010000${raw('root').toString('hex')}` +
      '3200000000000000001a711802000000ff19711802000000' +
      '31000000050000000200000001000000030000000300000002000000',
  );
  expect(rawDigestOf(bytes).toString('hex')).toMatchInlineSnapshot(
    `"d52a5596de755334bccd5638abe5632bd290fb35761a2571b3ec4070449be3c8"`,
  );
});

test('reads what was written', () => {
  const draft = sample();
  const bytes = encodeMap(draft);
  const { front, locations, slices } = decodeMap(bytes, 'test');
  expect(front.header).toMatchObject({ rootKind: 'tree', files: 50, bytes: 9_000_000_000, blobs: 49, trees: 5 });
  expect(front.header.totalBytes).toBe(bytes.length);
  expect(front.packs).toEqual(draft.packs);
  expect(front.maps).toEqual(draft.maps);
  expect([0, 1, 2].map((row) => front.nodes.number(row))).toEqual([0, 1, 4]);
  expect([0, 1, 2, 3, 4, 5].map((number) => front.nodes.find(number))).toEqual([0, 1, 1, 1, 2, -1]);
  expect(front.nodes.row(1)).toMatchObject({ how: IN_MAP, place: 0, offset: 7, nodes: 3 });
  expect(readLocation(locations, 16, front, 'test')).toMatchObject({ how: OWN_KEY, area: 1, offset: 0 });
  expect(slices.equals(draft.slices)).toBe(true);
});

/** The sample with its large file in two chunks instead of under its own key. */
function chunkedSample(): MapDraft {
  const draft = sample();
  const locations = Buffer.from(draft.locations);
  writeLocation(locations, 16, { how: IN_CHUNKS, codec: 0, pack: 0, offset: 0, stored: 2, area: 0 });
  const chunks = Buffer.alloc(2 * CHUNK_ROW_BYTES);
  writeChunk(chunks, 0, { raw: raw('1'), bytes: 5000, pack: 1, offset: 602, stored: 900, codec: CODEC_ZSTD });
  writeChunk(chunks, 48, { raw: raw('2'), bytes: 70, pack: 1, offset: 1546, stored: 70, codec: 0 });
  return { ...draft, locations, slices: Buffer.alloc(0), chunks };
}

test('a map with chunks is these bytes, and is read as what was written', () => {
  const draft = chunkedSample();
  const bytes = encodeMap(draft);
  expect(bytes.length).toBe(MAP_HEADER_BYTES + 4 + 2 * 17 + 33 + 3 * 32 + 3 * 16 + 2 * 48);
  expect(bytes.toString('hex', 4, 8)).toBe('02010000');
  expect(bytes.toString('hex', 84, 96)).toBe('030000000000000002000000');
  // The end of the first chunk: its length, offset, stored length, pack and codec.
  expect(bytes.toString('hex', bytes.length - 64, bytes.length - 48)).toBe('881300005a0200008403000001000100');
  const { front, locations, slices, chunks } = decodeMap(bytes, 'test');
  expect(front.header).toMatchObject({ slices: 0, chunks: 2, totalBytes: bytes.length });
  expect(slices).toHaveLength(0);
  expect(readLocation(locations, 16, front, 'test')).toMatchObject({ how: IN_CHUNKS, offset: 0, stored: 2 });
  expect(readChunksOf(5070, chunks, front, 'test')).toMatchObject([
    { raw: raw('1'), bytes: 5000, pack: 1, offset: 602, stored: 900, codec: CODEC_ZSTD },
    { raw: raw('2'), bytes: 70, offset: 1546, stored: 70, codec: 0 },
  ]);
});

test('refuses chunks that cannot be', () => {
  const { front, chunks } = decodeMap(encodeMap(chunkedSample()), 'test');
  const sound = { raw: raw('1'), bytes: 5000, pack: 1, offset: 602, stored: 900, codec: CODEC_ZSTD };
  const refused = (row: Partial<ChunkRow>): string => {
    const one = Buffer.alloc(CHUNK_ROW_BYTES);
    writeChunk(one, 0, { ...sound, ...row });
    return codeOf(() => readChunksOf(row.bytes ?? 5000, one, front, 'test'));
  };
  expect(refused({})).toBe('no error');
  for (const row of [{ bytes: 0 }, { bytes: 8 * 1024 * 1024 }, { pack: 2 }, { stored: 5000 }, { codec: 0 }]) {
    expect(refused(row)).toBe('ERR_MAP_INVALID');
  }
  expect(codeOf(() => readChunksOf(5071, chunks, front, 'test'))).toBe('ERR_MAP_INVALID');
  for (const where of [
    { offset: 1, stored: 2 },
    { offset: 0, stored: 0 },
    { offset: 0, stored: 2, codec: CODEC_ZSTD },
  ]) {
    const locations = Buffer.from(chunkedSample().locations);
    writeLocation(locations, 16, { how: IN_CHUNKS, codec: 0, pack: 0, area: 0, ...where });
    expect(codeOf(() => decodeMap(encodeMap({ ...chunkedSample(), locations }), 'test'))).toBe('ERR_MAP_INVALID');
  }
});

/** The sample whose root and directory are both patched. */
function patchedSample(): MapDraft {
  const draft = sample();
  const bases = Buffer.alloc(2 * CHUNK_ROW_BYTES);
  writeChunk(bases, 0, { raw: raw('base 1'), bytes: 5000, pack: 0, offset: 700, stored: 5000, codec: 0 });
  writeChunk(bases, 48, { raw: raw('base 2'), bytes: 70, pack: 1, offset: 8, stored: 70, codec: 0 });
  const patched = { how: PATCHED, codec: CODEC_PATCH, stored: 40, full: 5010 } as const;
  const nodes = nodeRows(
    { ...patched, nodes: 5, trees: 5, locations: 3 },
    { ...elsewhere, place: 0, offset: 7, nodes: 3, trees: 3, firstLocation: 2 },
    { ...patched, offset: 152, firstLocation: 2, locations: 1 },
  );
  return { ...draft, nodes, bases };
}

test('a map with bases is these bytes, and is read as what was written', () => {
  const bytes = encodeMap(patchedSample());
  expect(bytes.length).toBe(MAP_HEADER_BYTES + 8 + 2 * 17 + 33 + 3 * 32 + 2 * 48 + 3 * 16 + 2 * 32);
  expect(bytes.toString('hex', 4, 8)).toBe('03010000');
  expect(bytes.toString('hex', 88, 100)).toBe('020000000000000002000000');
  const { front } = decodeMap(bytes, 'test');
  expect(front.header).toMatchObject({ bases: 2, chunks: 0, totalBytes: bytes.length });
  expect(front.nodes.row(0)).toMatchObject({ how: PATCHED, codec: CODEC_PATCH, stored: 40, full: 5010 });
  expect(readBase(front, 0, 'test')).toMatchObject({ raw: raw('base 1'), bytes: 5000, pack: 0, offset: 700 });
  expect(readBase(front, 2, 'test')).toMatchObject({ raw: raw('base 2'), bytes: 70, pack: 1, offset: 8 });
});

test('refuses bases that cannot be, or are too few or too many', () => {
  const { bases = Buffer.alloc(0) } = patchedSample();
  for (const wrong of [bases.subarray(48), Buffer.concat([bases, bases])]) {
    expect(codeOf(() => decodeMap(encodeMap({ ...patchedSample(), bases: wrong }), 'test'))).toBe('ERR_MAP_INVALID');
  }
  const sound = { raw: raw('1'), bytes: 5000, pack: 1, offset: 602, stored: 900, codec: CODEC_ZSTD };
  for (const row of [sound, { ...sound, codec: 0 }, { ...sound, codec: 0, stored: 5000, pack: 2 }]) {
    const rows = Buffer.from(bases);
    writeChunk(rows, 0, row);
    const { front } = decodeMap(encodeMap({ ...patchedSample(), bases: rows }), 'test');
    expect(codeOf(() => readBase(front, 0, 'test'))).toBe('ERR_MAP_INVALID');
  }
});

test('a blob has no nodes and one location', () => {
  const blob: MapDraft = { ...sample(), rootKind: 'blob', nodes: Buffer.alloc(0), maps: [] };
  const one = blob.locations.subarray(0, LOCATION_BYTES);
  expect(decodeMap(encodeMap({ ...blob, locations: one }), 'test').front.header.rootKind).toBe('blob');
  expect(codeOf(() => decodeMap(encodeMap(blob), 'test'))).toBe('ERR_MAP_INVALID');
});

test('the front can be read without the rest', () => {
  const bytes = encodeMap(sample());
  const { frontBytes } = parseMapHeader(bytes.subarray(0, MAP_HEADER_BYTES), 'test');
  expect(parseMapFront(bytes.subarray(0, frontBytes), 'test').nodes.count).toBe(3);
  expect(codeOf(() => parseMapFront(bytes.subarray(0, frontBytes - 1), 'test'))).toBe('ERR_MAP_INVALID');
});

describe('a signature', () => {
  const sign = (bytes: Buffer): Buffer => rawDigestOf(Buffer.concat([Buffer.from('key'), bytes]));

  test.each([
    ['of a map without chunks', sample()],
    ['of a map with chunks', chunkedSample()],
    ['of a map with bases', patchedSample()],
  ])('%s lies behind its header, and the rest stays as it is', (_, draft) => {
    const plain = encodeMap(draft);
    const bytes = withSignature(plain, 'test', sign);
    const { header } = parseMapFront(bytes, 'test');
    expect(bytes[4]).toBe(4);
    expect(header.signed).toEqual({ bytes: bytes.subarray(0, 164), signature: sign(bytes.subarray(0, 164)) });
    expect(bytes.subarray(164, 196)).toEqual(header.signed?.signature);
    expect(parseMapHeader(plain, 'test').signed).toBeUndefined();
    const [before, after] = [decodeMap(plain, 'test'), decodeMap(bytes, 'test')];
    const { headerBytes: _h, sumsEnd: _s, frontBytes: _f, totalBytes: _t, ...counts } = before.front.header;
    expect(after.front.header).toMatchObject({ ...counts, signed: header.signed, totalBytes: bytes.length });
    expect({ ...after, front: after.front.packs }).toEqual({ ...before, front: before.front.packs });
    expect(withSignature(bytes, 'test', sign)).toEqual(bytes);
  });

  test('changes with each bit of the map, or the map is damaged', () => {
    const bytes = withSignature(encodeMap(chunkedSample()), 'test', sign);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 4;
      const isRefused = codeOf(() => {
        const { signed } = decodeMap(changed, 'test').front.header;
        if (signed === undefined || !sign(signed.bytes).equals(signed.signature)) throw new Error('refused');
      });
      expect(isRefused).not.toBe('no error');
    }
  });
});

test('a newer version is not damage', () => {
  const bytes = encodeMap(sample());
  bytes[4] = 5;
  expect(codeOf(() => decodeMap(bytes, 'test'))).toBe('ERR_FORMAT_VERSION');
});

test.each<[string, Buffer]>([
  ['no nodes', Buffer.alloc(0)],
  ['too few nodes', nodeRows({ nodes: 5, trees: 5, locations: 3 })],
  ['a subtree beyond its parent', nodeRows({ nodes: 2, locations: 3 }, { nodes: 2 })],
  ['rows behind the last node', nodeRows({ nodes: 1, locations: 3 }, {})],
  ['an empty subtree', nodeRows({ nodes: 2, locations: 3 }, { nodes: 0 })],
  ['a pack that is not in the table', nodeRows({ place: 2, locations: 3 })],
  ['a map that is not in the table', nodeRows({ ...elsewhere, place: 1 })],
  ['more trees than nodes', nodeRows({ trees: 2, locations: 3 })],
  ['locations beyond the parent', nodeRows({ nodes: 2, locations: 3 }, { firstLocation: 2, locations: 2 })],
  [
    'locations that overlap',
    nodeRows({ nodes: 3, locations: 3 }, { locations: 2 }, { firstLocation: 1, locations: 1 }),
  ],
  ['locations left over', nodeRows({ locations: 2 })],
  ['lengths of a node elsewhere', nodeRows({ nodes: 2, locations: 3 }, { ...elsewhere, stored: 1 })],
  ['a way that is not known', nodeRows({ locations: 3 }).fill(3, 0, 1)],
  ['a patched node without a base', nodeRows({ how: PATCHED, codec: CODEC_PATCH, stored: 40, locations: 3 })],
  ['too deep', nodeRows(...Array.from({ length: 600 }, (_, i) => ({ nodes: 600 - i, locations: i === 0 ? 3 : 0 })))],
])('refuses %s, also with right checksums', (_, nodes) => {
  expect(codeOf(() => decodeMap(encodeMap({ ...sample(), nodes }), 'test'))).toBe('ERR_MAP_INVALID');
});

test('refuses areas, packs and slices that are not there', () => {
  const draft = sample();
  const withLocation = (change: object): string => {
    const locations = Buffer.from(draft.locations);
    const location = { how: IN_PACK, codec: 0, pack: 0, offset: 8, stored: 1, area: 0, ...change } as const;
    writeLocation(locations, 0, location);
    return codeOf(() => decodeMap(encodeMap({ ...draft, locations }), 'test'));
  };
  expect(withLocation({})).toBe('no error');
  expect(withLocation({ pack: 2 })).toBe('ERR_MAP_INVALID');
  expect(withLocation({ area: 1 })).toBe('ERR_MAP_INVALID');
  expect(withLocation({ how: OWN_KEY, pack: 0, stored: 0, area: 3 })).toBe('ERR_MAP_INVALID');
  expect(withLocation({ how: OWN_KEY, pack: 0, stored: 0, area: 2, offset: 3 })).toBe('ERR_MAP_INVALID');
  expect(withLocation({ how: 2 })).toBe('ERR_MAP_INVALID');
  const packs = [{ area: 3, raw: name('x') }, ...draft.packs];
  expect(codeOf(() => decodeMap(encodeMap({ ...draft, packs }), 'test'))).toBe('ERR_MAP_INVALID');
});

describe.each([
  ['with slices', sample()],
  ['with chunks', chunkedSample()],
  ['with bases', patchedSample()],
])('hostile bytes %s', (_, draft) => {
  const sound = encodeMap(draft);
  const refused = (bytes: Buffer): boolean =>
    ['ERR_MAP_INVALID', 'ERR_FORMAT_VERSION'].includes(codeOf(() => decodeMap(bytes, 'test')));

  test('every changed bit is noticed', () => {
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const bytes = Buffer.from(sound);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!refused(bytes)) throw new Error(`bit ${bit} may be changed`);
    }
  });

  test('every cut and every extension is noticed', () => {
    for (let length = 0; length < sound.length; length++) {
      if (!refused(sound.subarray(0, length))) throw new Error(`may be cut at ${length}`);
    }
    expect(refused(Buffer.concat([sound, Buffer.alloc(1)]))).toBe(true);
  });

  test('arbitrary bytes are refused, never a crash', () => {
    const start = sound.subarray(0, 6);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (tail, plausible) =>
        refused(plausible ? Buffer.concat([start, tail]) : Buffer.from(tail)),
      ),
      fuzzRuns(),
    );
  });

  test('arbitrary chunks with right checksums are read or refused, never a crash', () => {
    const rows = chunkedSample().chunks ?? Buffer.alloc(0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(rows.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.integer({ min: 0, max: 10_000 }),
        (changes, size) => {
          const chunks = Buffer.from(rows);
          for (const [at, value] of changes) chunks[at] = value;
          const map = decodeMap(encodeMap({ ...draft, chunks }), 'test');
          return ['no error', 'ERR_MAP_INVALID'].includes(
            codeOf(() => readChunksOf(size, map.chunks, map.front, 'test')),
          );
        },
      ),
      fuzzRuns(),
    );
  });

  test('arbitrary rows with right checksums are read or refused, never a crash', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sample().nodes.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(sample().locations.length - 1), fc.nat(255)), { maxLength: 6 }),
        (nodeChanges, locationChanges) => {
          const [nodes, locations] = [Buffer.from(draft.nodes), Buffer.from(draft.locations)];
          for (const [at, value] of nodeChanges) nodes[at] = value;
          for (const [at, value] of locationChanges) locations[at] = value;
          const bytes = encodeMap({ ...draft, nodes, locations });
          return ['no error', 'ERR_MAP_INVALID'].includes(codeOf(() => decodeMap(bytes, 'test')));
        },
      ),
      fuzzRuns(),
    );
  });
});
