import { createServer, type IncomingMessage, type Server } from 'node:http';
import { rememberedWriteOnce, s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { bodyOf, storageKey } from './port.js';
import type { S3StorageOptions } from './s3.js';
import { s3Storage } from './s3.js';

const key = storageKey('shared/records/a.json');
const body = bodyOf(Buffer.from('bytes'));
const all = { offset: 0, length: 100 };

/** Options of a client that signs nothing and has nothing configured outside. */
function optionsFor(endpoint: string, changes: Partial<S3StorageOptions> = {}): S3StorageOptions {
  return s3Options(endpoint, 'bucket', { access: { endpoint, region: 'us-east-1', anonymous: true }, ...changes });
}

describe('a service that ignores what it does not know', () => {
  const objects = new Map<string, Buffer>();
  const seen: IncomingMessage[] = [];
  let simple: Server;
  let endpoint = '';

  beforeEach(async () => {
    objects.clear();
    seen.length = 0;
    simple = createServer(async (request, response) => {
      seen.push(request);
      const path = new URL(request.url ?? '', 'http://host').pathname;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      if (request.method === 'PUT') objects.set(path, Buffer.concat(chunks));
      const object = objects.get(path);
      const isMissing = object === undefined;
      response.writeHead(isMissing ? 404 : 200, { 'content-length': isMissing ? MISSING.length : object.length });
      response.end(request.method === 'HEAD' ? '' : (object ?? MISSING));
    });
    await new Promise<void>((resolve) => {
      simple.listen(0, '127.0.0.1', resolve);
    });
    const address = simple.address();
    endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterEach(() => {
    simple.closeAllConnections();
    simple.close();
  });
  const MISSING = '<Error><Code>NoSuchKey</Code><Message>none</Message></Error>';

  test('ranges that it ignores are cut out of the whole', async () => {
    const storage = s3Storage(optionsFor(endpoint));
    const bytes = Buffer.from('0123456789'.repeat(100_000));
    await storage.put(key, bodyOf(bytes));
    for (const [offset, length] of [
      [0, 10],
      [123_456, 7],
      [999_990, 100],
      [1_000_000, 5],
    ] as const) {
      const expected = bytes.subarray(offset, offset + length).toString();
      expect((await storage.get(key, { offset, length }))?.toString()).toBe(expected);
    }
  });

  test('that it replaces objects is found out once, and objects stay all the same', async () => {
    const writeOnce = rememberedWriteOnce();
    const storage = s3Storage(optionsFor(endpoint, { writeOnce }));
    expect(await storage.put(key, body, { ifAbsent: true })).toBe('stored');
    expect(writeOnce.supported).toBe(false);
    expect(storage.requests.put).toBe(2);
    expect(await storage.put(key, bodyOf(Buffer.from('other')), { ifAbsent: true })).toBe('exists');
    expect(await storage.put(storageKey('shared/b'), body, { ifAbsent: true })).toBe('stored');
    expect(storage.requests.put).toBe(3);
    expect((await storage.get(key, all))?.toString()).toBe('bytes');
  });

  test('an object is kept as the settings say, a small one in the usual class', async () => {
    const keeping = { sse: 'aws:kms', kmsKey: 'alias/key', storageClass: 'STANDARD_IA' } as const;
    const storage = s3Storage(optionsFor(endpoint, { keeping, requestPayer: true }));
    await storage.put(key, body);
    await storage.put(storageKey('shared/large'), bodyOf(Buffer.alloc(200_000)));
    await storage.get(key, all);
    const [small, large, read] = seen.map(({ headers }) => headers);
    expect(small).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/key',
      'x-amz-request-payer': 'requester',
    });
    expect(small).not.toHaveProperty('x-amz-storage-class');
    expect(large).toMatchObject({ 'x-amz-storage-class': 'STANDARD_IA' });
    expect(read).toMatchObject({ 'x-amz-request-payer': 'requester' });
    for (const headers of [small, large, read]) {
      expect(headers).not.toHaveProperty('authorization');
      expect(Object.keys(headers ?? {}).filter((name) => /checksum|trailer|expect/.test(name))).toEqual([]);
    }
  });
});

test.each(['', '<html><body>404 page not found</body></html>', 'not found'])(
  'what is no S3 at all is not an empty bucket (%j)',
  async (text) => {
    const other = createServer((_, response) => {
      response.writeHead(404).end(text);
    });
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const address = other.address();
    const storage = s3Storage(optionsFor(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`));
    const codes = await Promise.all(
      [storage.get(key, all), storage.stat(key)].map((call) => call.then(String, (error) => error.code)),
    );
    other.closeAllConnections();
    other.close();
    expect(codes.every((code) => /^ERR_REMOTE_(DENIED|DOWN)$/.test(code))).toBe(true);
  },
);

describe('write-once of a service that has it', () => {
  const { server, newBucket } = useS3Server();
  const proxy = useFaultProxy(server);

  test('is found out once', async () => {
    const writeOnce = rememberedWriteOnce();
    const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { writeOnce }));
    expect(await storage.put(key, body, { ifAbsent: true })).toBe('stored');
    expect(writeOnce.supported).toBe(true);
    const { put, head } = { ...storage.requests };
    expect(put).toBe(2);
    expect(await storage.put(storageKey('shared/b'), body, { ifAbsent: true })).toBe('stored');
    expect(await storage.put(key, body, { ifAbsent: true })).toBe('exists');
    expect(storage.requests).toMatchObject({ put: put + 2, head });
  });

  test('is done without where it is not implemented', async () => {
    const writeOnce = rememberedWriteOnce();
    const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { writeOnce }));
    proxy().inject(/^PUT/, { kind: 'status', status: 501, code: 'NotImplemented' });
    expect(await storage.put(key, body, { ifAbsent: true })).toBe('stored');
    expect(writeOnce.supported).toBe(false);
    expect(await storage.put(key, bodyOf(Buffer.from('other')), { ifAbsent: true })).toBe('exists');
    expect((await storage.get(key, all))?.toString()).toBe('bytes');
  });
});
