// @ts-check
// What the line gives: one file to a bucket by the SDK's own upload, or back by ranges, and nothing else. `node bare.mjs upload|download ENDPOINT BUCKET KEY FILE`.
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { S3 } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

/** As many bytes at once as the engine may hold. */
const PART_BYTES = 8 * 1024 * 1024;
const AT_ONCE = 6;

const [action, endpoint = '', Bucket = '', Key = '', file = ''] = process.argv.slice(2);
const s3 = new S3({
  endpoint,
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
});
await (action === 'upload' ? upload() : download());
s3.destroy();

async function upload() {
  const params = { Bucket, Key, Body: createReadStream(file, { highWaterMark: PART_BYTES }) };
  await new Upload({ client: s3, params, partSize: PART_BYTES, queueSize: AT_ONCE }).done();
}

async function download() {
  const { ContentLength: size = 0 } = await s3.headObject({ Bucket, Key });
  const handle = await open(file, 'wx');
  let next = 0;
  const worker = async () => {
    for (let at = next; at < size; at = next) {
      next += PART_BYTES;
      const { Body } = await s3.getObject({ Bucket, Key, Range: `bytes=${at}-${at + PART_BYTES - 1}` });
      const bytes = (await Body?.transformToByteArray()) ?? Buffer.alloc(0);
      await handle.write(bytes, 0, bytes.length, at);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await handle.close();
  const { status } = spawnSync('sync', ['-f', file]);
  if (status !== 0) throw new Error(`sync ended with ${status}`);
}
