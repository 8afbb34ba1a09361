import fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { S3 } from '@aws-sdk/client-s3';

/** A remote, and its objects past Sluice: where a test tells lies. */
export interface Place {
  /** As in `sluice.json`. */
  readonly remote: { readonly url: string };
  keys(): Promise<string[]>;
  read(key: string): Promise<Buffer>;
  write(key: string, bytes: Buffer): Promise<void>;
  remove(key: string): Promise<void>;
}

/** A directory, which may be absent. */
export function directoryPlace(dir: string): Place {
  return {
    remote: { url: `file://${dir}` },
    keys: async () =>
      fs
        .readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(dir.length + 1)),
    read: async (key) => fs.readFileSync(join(dir, key)),
    write: async (key, bytes) => {
      fs.rmSync(join(dir, key), { force: true });
      fs.mkdirSync(dirname(join(dir, key)), { recursive: true });
      fs.writeFileSync(join(dir, key), bytes);
    },
    remove: async (key) => fs.rmSync(join(dir, key)),
  };
}

const PREFIX = 'team/';

/** A prefix of a bucket; `endpoint` is that of Sluice, which may be another than that of the client. */
export function bucketPlace(client: S3, Bucket: string, endpoint: string): Place {
  const remote = { url: `s3://${Bucket}/team`, endpoint };
  return {
    remote,
    keys: async () =>
      ((await client.listObjectsV2({ Bucket })).Contents ?? []).map(({ Key = '' }) => Key.slice(PREFIX.length)),
    read: async (key) => {
      const { Body } = await client.getObject({ Bucket, Key: PREFIX + key });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    write: async (key, bytes) => {
      await client.putObject({ Bucket, Key: PREFIX + key, Body: bytes });
    },
    remove: async (key) => {
      await client.deleteObject({ Bucket, Key: PREFIX + key });
    },
  };
}
