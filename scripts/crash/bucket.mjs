// @ts-check
import { parseMapFront } from '../../packages/engine/dist/model/map.js';

/** @typedef {import('@aws-sdk/client-s3').S3} S3 */

const AREAS = ['trusted', 'shared'];

/** What lies in a bucket, by key. @param {S3} s3 @param {string} bucket @returns {Promise<Map<string, number>>} */
async function listBucket(s3, bucket) {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (let token = /** @type {string | undefined} */ (undefined); ; ) {
    const page = await s3.listObjectsV2({
      Bucket: bucket,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    for (const { Key = '', Size = 0 } of page.Contents ?? []) sizes.set(Key, Size);
    token = page.NextContinuationToken;
    if (token === undefined) return sizes;
  }
}

/**
 * Maps that name what is not there, large files that are missing below them, and records whose roots have no map. `large`: digest and size of the file with a key of
 * its own that each root reaches.
 * @param {S3} s3 @param {string} bucket @param {ReadonlyMap<string, { digest: string, bytes: number }>} large @returns {Promise<string[]>}
 */
export async function bucketProblems(s3, bucket, large) {
  const keys = await listBucket(s3, bucket);
  /** @type {string[]} */
  const problems = [];
  for (const key of keys.keys()) {
    if (key.endsWith('.map')) {
      const { packs, maps, header } = parseMapFront(await read(s3, bucket, key), key);
      const needed = [
        ...packs.map(({ area, raw }) => `${AREAS[area]}/packs/${raw.toString('hex')}.pack`),
        ...maps.map(({ area, raw }) => `${AREAS[area]}/maps/${fannedOut(raw.toString('hex'))}.map`),
      ];
      for (const other of needed) if (!keys.has(other)) problems.push(`${key} names ${other}, which is not there`);
      const blob = large.get(`sha256:${header.root.toString('hex')}`);
      if (blob === undefined) continue;
      const there = AREAS.map((area) => keys.get(`${area}/blobs/${fannedOut(blob.digest)}`));
      if (!there.includes(blob.bytes)) problems.push(`${key} is there, and its large file is not`);
    } else if (key.includes('/records/')) {
      const { outs } = JSON.parse((await read(s3, bucket, key)).toString());
      for (const [, hex = ''] of JSON.stringify(outs).matchAll(/sha256:([0-9a-f]{64})/g)) {
        const isThere = AREAS.some((area) => keys.has(`${area}/maps/${fannedOut(hex)}.map`));
        if (!isThere) problems.push(`${key} names the root ${hex}, which has no map`);
      }
    }
  }
  return problems;
}

/** Packs that no map names: those that were on their way when a process was killed. @param {S3} s3 @param {string} bucket @returns {Promise<number>} */
export async function orphanPacks(s3, bucket) {
  const keys = [...(await listBucket(s3, bucket)).keys()];
  const named = new Set();
  for (const key of keys.filter((one) => one.endsWith('.map'))) {
    for (const { raw } of parseMapFront(await read(s3, bucket, key), key).packs) named.add(raw.toString('hex'));
  }
  return keys.filter((key) => key.endsWith('.pack') && !named.has(key.slice(-37, -5))).length;
}

/** What a killed collection leaves counts for two hours: this is what comes after them. @param {S3} s3 @param {string} bucket */
export async function dropHolds(s3, bucket) {
  for (const Key of (await listBucket(s3, bucket)).keys()) {
    if (Key.includes('/gc/holds/')) await s3.deleteObject({ Bucket: bucket, Key });
  }
}

/** Roots that a lock names and that have no map. @param {S3} s3 @param {string} bucket @param {ReadonlyMap<string, string>} roots @returns {Promise<string[]>} */
export async function lostRoots(s3, bucket, roots) {
  const keys = await listBucket(s3, bucket);
  const hasMap = (/** @type {string} */ root) =>
    AREAS.some((area) => keys.has(`${area}/maps/${fannedOut(root.slice('sha256:'.length))}.map`));
  return [...roots].filter(([, root]) => !hasMap(root)).map(([path, root]) => `${path} has lost the map of ${root}`);
}

/** @param {S3} s3 @param {string} Bucket @param {string} Key */
async function read(s3, Bucket, Key) {
  const { Body } = await s3.getObject({ Bucket, Key });
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** @param {string} hex */
function fannedOut(hex) {
  return `${hex.slice(0, 2)}/${hex.slice(2)}`;
}
