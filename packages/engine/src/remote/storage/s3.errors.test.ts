import { s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { bodyOf, type Storage, storageKey } from './port.js';
import { s3Storage } from './s3.js';

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const key = storageKey('shared/a');
const body = bodyOf(Buffer.from('bytes'));
const range = { offset: 0, length: 100 };

/** Code, message and hint of what a call throws. */
async function failureOf(call: Promise<unknown>): Promise<string> {
  const thrown = await call.then(
    () => ({ code: 'no error', message: '', hint: '' }),
    (error) => error,
  );
  return `${thrown.code}: ${thrown.message} | ${thrown.hint}`;
}

function refused(status: number, code: string, message?: string, headers?: Record<string, string>): Storage {
  proxy().inject(/./, {
    kind: 'status',
    status,
    code,
    ...(message === undefined ? {} : { message }),
    ...(headers === undefined ? {} : { headers }),
  });
  return s3Storage(s3Options(proxy().endpoint, 'bucket'));
}

test('a bucket that does not exist is never an empty one', async () => {
  const storage = s3Storage(s3Options(server().endpoint, 'no-such-bucket'));
  const missing = /^ERR_REMOTE_DENIED: bucket no-such-bucket does not exist/;
  expect(await failureOf(storage.get(key, range))).toMatch(missing);
  expect(await failureOf(storage.stat(key))).toMatch(missing);
  expect(await failureOf(storage.put(key, body))).toMatch(missing);
  expect(await failureOf(storage.put(key, body, { ifAbsent: true }))).toMatch(missing);
});

test('keys that the server does not know are denied', async () => {
  const before = process.env.AWS_ACCESS_KEY_ID;
  process.env.AWS_ACCESS_KEY_ID = 'nobody';
  const storage = s3Storage(s3Options(server().endpoint, 'bucket'));
  const failure = await failureOf(storage.get(key, range));
  process.env.AWS_ACCESS_KEY_ID = before;
  expect(failure).toMatch(/^ERR_REMOTE_DENIED: .*does not accept the credentials.*AWS_ACCESS_KEY_ID/);
});

test('no keys at all are denied, with the ways to give some', async () => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  const storage = s3Storage(s3Options(server().endpoint, 'bucket'));
  const failure = await failureOf(storage.get(key, range));
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  expect(failure).toMatch(/^ERR_REMOTE_DENIED: no credentials were found .*AWS_PROFILE.*"anonymous": true/);
});

test('a public bucket is read without keys, and writing there names the permission', async () => {
  const bucket = await newBucket();
  await s3Storage(s3Options(server().endpoint, bucket)).put(key, body);
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }],
  });
  await direct().putBucketPolicy({ Bucket: bucket, Policy });
  const endpoint = server().endpoint;
  const storage = s3Storage(
    s3Options(endpoint, bucket, { access: { endpoint, anonymous: true, region: 'us-east-1' } }),
  );
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
  expect(await failureOf(storage.put(key, body))).toMatch(
    /^ERR_REMOTE_DENIED: s3:.* does not allow s3:PutObject for team\/data\/shared\/a \| Allow s3:PutObject/,
  );
});

test('what is refused is denied, never missing, and names the permission', async () => {
  const denied = (): Storage => refused(403, 'AccessDenied');
  expect(await failureOf(denied().get(key, range))).toMatch(/^ERR_REMOTE_DENIED: .*s3:GetObject.*s3:ListBucket/);
  expect(await failureOf(denied().delete?.(key) ?? Promise.resolve())).toMatch(/^ERR_REMOTE_DENIED: .*s3:DeleteObject/);
  const listing = async (): Promise<void> => {
    for await (const _ of denied().list?.('') ?? []);
  };
  expect(await failureOf(listing())).toMatch(/^ERR_REMOTE_DENIED: .*s3:ListBucket/);
  proxy().inject(/^HEAD/, { kind: 'status', status: 403, code: 'AccessDenied' });
  proxy().inject(/^GET/, { kind: 'status', status: 403, code: 'AccessDenied' });
  expect(await failureOf(s3Storage(s3Options(proxy().endpoint, 'bucket')).stat(key))).toMatch(
    /^ERR_REMOTE_DENIED: .*s3:GetObject/,
  );
});

test('the permission that AWS names is the one that is told', async () => {
  const message = 'User: arn:aws:iam::1:user/u is not authorized to perform: kms:GenerateDataKey on resource: arn';
  expect(await failureOf(refused(403, 'AccessDenied', message).put(key, body))).toMatch(/allow kms:GenerateDataKey/);
});

test('an object that AWS hides because listing is not allowed is missing', async () => {
  const message = 'User: u is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::bucket" because';
  expect(await refused(403, 'AccessDenied', message).get(key, range)).toBeUndefined();
  proxy().inject(/^HEAD/, { kind: 'status', status: 403, code: 'Forbidden' });
  expect(await refused(403, 'AccessDenied', message).stat(key)).toBeUndefined();
});

test.each([
  [
    301,
    'PermanentRedirect',
    'The bucket must be addressed at another endpoint',
    { 'x-amz-bucket-region': 'eu-west-1' },
  ],
  [400, 'AuthorizationHeaderMalformed', "the region 'us-east-1' is wrong; expecting 'eu-west-1'", {}],
] as const)('another region (%i %s) is named', async (status, code, message, headers) => {
  expect(await failureOf(refused(status, code, message, headers).get(key, range))).toMatch(
    /^ERR_REMOTE_DENIED: bucket bucket lies in region eu-west-1.*"region": "eu-west-1"/,
  );
});

test.each([
  [400, 'ExpiredToken', /^ERR_REMOTE_DENIED: the credentials .* have expired .*run the same command again/],
  [403, 'RequestTimeTooSkewed', /^ERR_REMOTE_DENIED: .*refuses the time of this machine.*clock/],
  [403, 'SignatureDoesNotMatch', /^ERR_REMOTE_DENIED: .*does not accept the credentials/],
  [403, 'QuotaExceeded', /^ERR_DISK_FULL/],
  [507, 'XMinioStorageFull', /^ERR_DISK_FULL/],
  [404, 'SomethingElse', /^ERR_REMOTE_DENIED: .*SomethingElse/],
  [400, 'InvalidStorageClass', /^ERR_REMOTE_DENIED: .*refuses s3:GetObject.*InvalidStorageClass/],
] as const)('%i %s is told at once', async (status, code, expected) => {
  expect(await failureOf(refused(status, code).get(key, range))).toMatch(expected);
});

test('a clock that is off is corrected by that of the server', async () => {
  const storage = s3Storage(s3Options(server().endpoint, await newBucket()));
  const now = Date.now;
  Date.now = () => now() + 3_600_000;
  try {
    expect(await storage.get(key, range)).toBeUndefined();
    await storage.put(key, body);
  } finally {
    Date.now = now;
  }
  expect(storage.requests).toMatchObject({ get: 2, put: 1 });
});

test('no message holds a secret', async () => {
  const failure = await failureOf(
    refused(403, 'SignatureDoesNotMatch', `${process.env.AWS_SECRET_ACCESS_KEY}`).get(key, range),
  );
  expect(failure).not.toContain(process.env.AWS_SECRET_ACCESS_KEY);
});
