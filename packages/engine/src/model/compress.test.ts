import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants } from 'node:zlib';
import fc from 'fast-check';
import { damage, damaged, fuzzRuns } from '../testing/fuzz.js';
import { compress, compressWith, samplesCompress } from './compress.js';
import { type Decode, decodeWith, openDecode, openZstdWasm } from './decompress.js';
import { CODEC_BROTLI, CODEC_NONE, CODEC_ZSTD } from './pack.js';
import { zstdOfNode } from './zstd.js';

const rows = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => `${i},${(i * 7919) % 1000},item-${i % 13}\n`).join(''));

/** `rows(300)` and 8 MiB of zeros as Zstandard, written by Node 24: Node 20 cannot write it. */
const ZSTD_ROWS = Buffer.from(
  [
    'KLUv/WBIEIUqABqFHA8SsKXQBpCAg2Hqyu7unSYTU1jo8QDrAOgA1ylepWjWKBa5L5K8Lk5EQ1EsPWKc1IivaRE9VCKGqA7xtlWIPmsQg+t64k1NNHEDsf7ekELUhmPRGgpJaRgyneFPlaFDNYbBqh',
    '/eZPXQcw3D4OgJz64J7dwSVr0kpImOcEIqQvE0hHHTC19UC03VIAxiveD9qwXdCgZbKXjkTtDklWA9GkEK0gfHpA5KTUMwhnrno2qnba0znJXOu65zeipncLhxnt+fdq/Psmg4iaRnjkzNlFPLjFAl',
    '81Yd02QVM8g1zPu96eDaDD43mOd6j/aJGitCWiTxlDhz06FQUYVRUw3ewnr6fDVDAEAQMGhoCGUNY9L1xJyamNISM8olMT/viOmoiBmkIeYtvZj21GIGahDzqhemWS3MCtcKk64U5nTCFFfCjDfCfP',
    'RhOuowgzRM76ZNtZuhWjevSjfNOjfrKjepcXPc3xTXN+MNNx89m5aazTAtmzeVbNrUsRmqYvOsYdOut1m1TWqwOe4FU14LZkQrmJdSMC2dYIapBPOmRjDt6oMZbKuDeeEagml2vWNR7Uji1nH+0lFC',
    'dI5hUTmepHG0TH8Mp/p4uxqOvuoZg8tqxptrGS1KxrI7RjpXjFNvGGWiN0ZIbfynwehAvWK4Ua34oGoVLVYqBj9SnZ9hlZ+/xk/3P0P983bDT/s9nyFqPk9aPm1KPms6PokqPqcaPsV6n3G1z1+DT/',
    'fCGVwL5/1WOO0ohTNEJ5wnlXDaNMJZ1IeTqg7nWEM4xXpnxtXOfOtM36Uzwztn3q+caUfjzCD9mTf1mUYNZxb1zKSqmTnWMlOuZGZ0zHzFTLthZnhv5h21mbY0mBmmV+ZNrUyjVpklVSqTbp0yJ1yl',
    'TLlGmdGXeddl+g1lhuiReUeNTFtaZIYpkXnUIdOqQmZVg0yynsy5mkxpIDPcG/Ovjem3xgxRGvOWzpj2VMYM1BjzqB/Tqh4zDAEAQcCgturdeZPV7rSvdWco3Xnu3Gmu3Flv3EnR3zlS3ynTcGdMz8',
    '5TzU5Xy85gJTvv69hpX8XO0LDz3Ntpr+2saLCTpFfnSK1OmVadQaU6X506bZU6gzXqvK+v067rDG6o8/wenfYanRUtOklKdM506BSq0BnUoPPV02mr6QzX0JvTdm3O4Nac99KcFp05Sypz0jTmnOnn',
    'FKrnjGqY89aT01eTM1xLzrskp+2OnOEVOS8aclr0cpbUctI0yDnUi1OqFmdYK85bKU5fJ85QifN2I077fZzhdZwXDXGa9H7W1H4StX4OlX4GgSyoIQQJAYIxt+2hBUWISeAHESQMFH+a2EtSva83e2',
    '3vHFLci9p7vcnSW71db+zdR7S9mL3Sqjevcb2ytweM2d6zrIn96+mpt/XMnnukPcHeoB6L9KAe1qMB2LOwXvXmlB7qZb1jyF6+Hp0914NOvdY79u7tPeXt9XD1dD1RPabHFj3SA/Vk61U9Aj2JA553',
    'yut4cng0gxff8U71xR3ermX365LqDuqEM7UJugznsLnF3Kdc5M6MG7E4EHcoHIMrcP9b7+13S7k9G7fos23JSfO09Wx1bL6Gbs1ZG9pAtU7UeNpNe2ln0t7XSSPagbZ7dt4ZCWfejJo5MzGzl4GVMR',
    'krMgTZgAxRZDyWjVmMEwOHQYRRYKDoEGgRREkhCYwERHiEDj3yQxAlCck0PBLHUqYGMKjdgEEQSMghiyODBB7SEXv4SJCwEUI1siDxw9yREBkJIHSAUD6WI7hhcSQIMgwkIpEIQfIYgAREEhI85Iga',
    'wggtFBMhwhiG2TbLyrJYzLrAmqs=',
  ].join(''),
  'base64',
);
const ZSTD_ZEROS = Buffer.from(
  [
    'KLUv/YBIAACAAFQAABAAAAEA+/85wAICABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAg',
    'AQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA',
    'EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAMAEAA=',
  ].join(''),
  'base64',
);

/** Every way to read Zstandard that this Node has: its own where there is one, and the one for Nodes without. */
const zstdDecodes = async (): Promise<Decode[]> => {
  return [await openDecode([CODEC_ZSTD]), decodeWith(await openZstdWasm())];
};

describe('what pays', () => {
  test.each([
    ['text', rows(200)],
    ['a long text', rows(50_000)],
    ['numbers that drift', Buffer.from(Float32Array.from({ length: 20_000 }, (_, i) => Math.round(i / 3)).buffer)],
  ])('%s is compressed, by the codec of this Node and by the one that every Node has', async (_, bytes) => {
    const usual = compress(bytes);
    const common = compressWith(undefined, bytes);
    expect(usual?.codec).toBe(zstdOfNode() === undefined ? CODEC_BROTLI : CODEC_ZSTD);
    expect(common?.codec).toBe(CODEC_BROTLI);
    for (const compressed of [usual, common]) {
      if (compressed === undefined) throw new Error('is not compressed');
      expect(compressed.bytes.length).toBeLessThan(bytes.length * 0.875);
      const decode = await openDecode([compressed.codec]);
      expect(decode(compressed.codec, compressed.bytes, bytes.length)?.equals(bytes)).toBe(true);
    }
  });

  test.each([
    ['a small object', rows(40).subarray(0, 1000)],
    ['random bytes', randomBytes(10_000)],
    ['many random bytes', randomBytes(3_000_000)],
    ['what is compressed already', brotliCompressSync(Buffer.from(randomBytes(60_000).toString('hex')))],
    ['what gets hardly smaller', Buffer.concat([randomBytes(60_000), Buffer.alloc(5000)])],
  ])('%s is not', (_, bytes) => {
    expect(compress(bytes)).toBeUndefined();
    expect(compressWith(undefined, bytes)).toBeUndefined();
  });

  test('samples tell of a large blob', () => {
    expect(samplesCompress([rows(5000), rows(5000), randomBytes(60_000)])).toBe(true);
    expect(samplesCompress([randomBytes(60_000), randomBytes(60_000)])).toBe(false);
    expect(samplesCompress([])).toBe(false);
  });
});

describe('what every Node can read', () => {
  test('Zstandard that another Node wrote', async () => {
    for (const decode of await zstdDecodes()) {
      expect(decode(CODEC_ZSTD, ZSTD_ROWS, rows(300).length)).toEqual(rows(300));
      expect(decode(CODEC_ZSTD, ZSTD_ZEROS, 8 * 1024 * 1024)?.equals(Buffer.alloc(8 * 1024 * 1024))).toBe(true);
    }
  });

  test('nothing under an unknown codec', async () => {
    const decode = await openDecode([]);
    expect(decode(9, rows(300), rows(300).length)).toBeUndefined();
    expect(decode(CODEC_NONE, rows(300), rows(300).length)).toEqual(rows(300));
    expect(decode(CODEC_NONE, rows(300), 5)).toBeUndefined();
  });
});

describe('hostile bytes', () => {
  test('that grow beyond what the tree says are given up there', async () => {
    const zeros = brotliCompressSync(Buffer.alloc(128 * 1024 * 1024), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
    });
    const decode = await openDecode([CODEC_ZSTD, CODEC_BROTLI]);
    // What is let go comes back late; the highest mark is what counts.
    const before = process.resourceUsage().maxRSS;
    for (let i = 0; i < 20; i++) expect(decode(CODEC_BROTLI, zeros, 5000)).toBeUndefined();
    for (const read of await zstdDecodes()) {
      for (const size of [0, 1, 5000, 8 * 1024 * 1024 - 1, 8 * 1024 * 1024 + 1])
        expect(read(CODEC_ZSTD, ZSTD_ZEROS, size)).toBeUndefined();
    }
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(64);
  });

  test('give the object, other bytes of its length, or nothing, and never crash', async () => {
    const whole = rows(300);
    const brotli = compressWith(undefined, whole)?.bytes ?? Buffer.alloc(0);
    const decode = await openDecode([CODEC_ZSTD, CODEC_BROTLI]);
    const [, wasm] = await zstdDecodes();
    const reads: [Decode, number, Buffer][] = [
      [decode, CODEC_BROTLI, brotli],
      [decode, CODEC_ZSTD, ZSTD_ROWS],
    ];
    if (wasm !== undefined) reads.push([wasm, CODEC_ZSTD, ZSTD_ROWS]);
    fc.assert(
      fc.property(damage, fc.integer({ min: 0, max: 20_000 }), (what, size) => {
        for (const [read, codec, bytes] of reads) {
          const hurt = damaged(bytes, what);
          expect([undefined, whole.length]).toContain(decode(codec, hurt, whole.length)?.length);
          expect([undefined, size]).toContain(read(codec, hurt, size)?.length);
        }
      }),
      fuzzRuns(),
    );
    for (const [read, codec, bytes] of reads) expect(read(codec, bytes, whole.length)).toEqual(whole);
  });

  test('random bytes are no object', async () => {
    const decode = await openDecode([CODEC_ZSTD, CODEC_BROTLI]);
    const [, wasm] = await zstdDecodes();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 100_000 }), (bytes, size) => {
        for (const codec of [CODEC_ZSTD, CODEC_BROTLI]) {
          expect([undefined, size]).toContain(decode(codec, Buffer.from(bytes), size)?.length);
        }
        expect([undefined, size]).toContain(wasm?.(CODEC_ZSTD, Buffer.from(bytes), size)?.length);
      }),
      fuzzRuns(),
    );
  });
});
