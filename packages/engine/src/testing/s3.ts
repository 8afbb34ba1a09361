import { randomBytes } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { type FaultProxy, startFaultProxy } from '../../../../scripts/s3/fault-proxy.mjs';
import { type S3Server, startS3Server } from '../../../../scripts/s3/server.mjs';
import type { S3StorageOptions } from '../remote/storage/s3.js';
import { BRIEF } from './brief.js';

/** Long enough to build the server once. */
const SET_UP_MS = 600_000;

/** An S3 server for the tests of a file, ended with them. Its keys are in the environment while they run. */
export function useS3Server(): {
  readonly server: () => S3Server;
  /** A client of the test's own, to look at what the driver did. */
  readonly direct: () => S3;
  readonly newBucket: () => Promise<string>;
} {
  let server: S3Server | undefined;
  let client: S3 | undefined;
  const before = { ...process.env };
  const running = (): S3Server => {
    if (server === undefined) throw new Error('the server runs only while tests do');
    return server;
  };
  beforeAll(async () => {
    server = await startS3Server();
    Object.assign(process.env, server.env);
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = server.env;
    const credentials = { accessKeyId, secretAccessKey };
    client = new S3({ endpoint: server.endpoint, forcePathStyle: true, credentials });
  }, SET_UP_MS);
  afterAll(async () => {
    for (const name of Object.keys(server?.env ?? {})) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    client?.destroy();
    await server?.stop();
  });
  return {
    server: running,
    direct: () => {
      if (client === undefined) throw new Error('the client is there only while tests run');
      return client;
    },
    newBucket: async () => {
      const bucket = `sluice-${randomBytes(8).toString('hex')}`;
      await client?.createBucket({ Bucket: bucket });
      return bucket;
    },
  };
}

/** A fault proxy in front of the server, new for each test; one that still has faults to give fails its test. */
export function useFaultProxy(server: () => S3Server): () => FaultProxy {
  let proxy: FaultProxy | undefined;
  beforeEach(async () => {
    proxy = await startFaultProxy(server().endpoint);
  });
  afterEach(async () => {
    await proxy?.stop();
    proxy?.assertAllHit();
  });
  return () => {
    if (proxy === undefined) throw new Error('the proxy runs only while a test does');
    return proxy;
  };
}

/** Options for a bucket at an endpoint; write-once is found out by each storage. */
export function s3Options(endpoint: string, bucket: string, changes: Partial<S3StorageOptions> = {}): S3StorageOptions {
  return {
    bucket,
    prefix: 'team/data',
    access: { endpoint },
    keeping: {},
    concurrency: 16,
    retry: BRIEF,
    limits: { quietMs: 1500, pingMs: 1000, stallMs: 20_000 },
    writeOnce: rememberedWriteOnce(),
    ...changes,
  };
}

/** A memory of one process for what was found out. */
export function rememberedWriteOnce(known?: boolean): S3StorageOptions['writeOnce'] {
  let supported = known;
  return {
    get supported() {
      return supported;
    },
    learn: (found) => {
      supported = found;
    },
  };
}
