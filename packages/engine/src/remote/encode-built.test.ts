import { rawDigestOf } from '../model/digest.js';
import { encodePack } from '../model/encode-pack.js';
import { PACK_NAME_BYTES } from '../model/map.js';
import { BLOB, BLOBS, CODEC_NONE } from '../model/pack.js';
import type { Encoder } from '../store/encoder.js';
import { encodeBuilt, type OpenPlace } from './encode-built.js';
import { PackBuilder } from './pack-builder.js';

let asked = 0;
beforeEach(() => {
  asked = 0;
});
const encoder: Encoder = {
  encodePack: async (pack) => {
    asked++;
    return encodePack(pack);
  },
  cutBlob: () => Promise.reject(new Error('nothing is cut here')),
};

/** A pack with objects of these sizes, each a row of one letter. */
function packOf(sizes: readonly number[]): {
  built: NonNullable<ReturnType<PackBuilder['seal']>>;
  places: OpenPlace[];
} {
  const builder = new PackBuilder(BLOBS, () => Buffer.alloc(PACK_NAME_BYTES, 7));
  const places = sizes.map((size, i): OpenPlace => {
    const bytes = Buffer.alloc(size, 97 + i);
    const offset = builder.add(BLOB, bytes, rawDigestOf(bytes), 0);
    return {
      pack: { area: 'shared', name: builder.current, have: undefined },
      offset,
      stored: size,
      codec: CODEC_NONE,
    };
  });
  const built = builder.seal();
  if (built === undefined) throw new Error('the pack is empty');
  return { built, places };
}

test('a pack of tiny objects goes as it is, and no encoder is asked', async () => {
  const { built, places } = packOf([117, 234, 1023]);
  const before = places.map((place) => ({ ...place }));
  expect(await encodeBuilt(encoder, built, places)).toEqual({ chunks: built.chunks, tail: built.tail });
  expect([asked, places]).toEqual([0, before]);
});

test('one larger object is enough to look at all of them', async () => {
  const { built, places } = packOf([117, 1024, 234]);
  const { tail } = await encodeBuilt(encoder, built, places);
  expect([asked, tail.length]).toEqual([1, built.tail.length]);
  const [first, second, third] = places;
  expect([first?.stored, third?.stored]).toEqual([117, 234]);
  expect(second?.stored).toBeLessThan(1024);
  expect((third?.offset ?? 0) - (second?.offset ?? 0)).toBeLessThan(1024);
});
