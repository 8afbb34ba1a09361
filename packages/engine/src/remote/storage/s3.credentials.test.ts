import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { s3Options, useS3Server } from '../../testing/s3.js';
import { useTempDir } from '../../testing/temp-dir.js';
import { bodyOf, type Storage, storageKey } from './port.js';
import { s3Storage } from './s3.js';
import type { S3Access } from './s3-client.js';

const { server, newBucket } = useS3Server();
const temp = useTempDir();
const key = storageKey('shared/a');

/** Runs with other variables, and without keys. */
async function withEnvironment(changes: Record<string, string>, run: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', ...Object.keys(changes)];
  for (const name of names) delete process.env[name];
  Object.assign(process.env, changes);
  try {
    await run();
  } finally {
    for (const name of names) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

async function expectAccess(access: Partial<S3Access>): Promise<Storage> {
  const { endpoint } = server();
  const storage = s3Storage(s3Options(endpoint, await newBucket(), { access: { endpoint, ...access } }));
  await storage.put(key, bodyOf(Buffer.from('bytes')));
  expect(await storage.stat(key)).toEqual({ bytes: 5 });
  return storage;
}

test('keys of a profile, from the settings or the environment', async () => {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = server().env;
  writeFileSync(
    temp('credentials'),
    `[team]\naws_access_key_id = ${AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}\n`,
  );
  const file = { AWS_SHARED_CREDENTIALS_FILE: temp('credentials') };
  await withEnvironment(file, async () => void (await expectAccess({ profile: 'team' })));
  await withEnvironment({ ...file, AWS_PROFILE: 'team' }, async () => void (await expectAccess({})));
});

test('keys that take long to come are waited for, and their coming is not taken for silence', async () => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = server().env;
  const keys = { Version: 1, AccessKeyId: AWS_ACCESS_KEY_ID, SecretAccessKey: AWS_SECRET_ACCESS_KEY };
  writeFileSync(temp('keys.json'), JSON.stringify(keys));
  writeFileSync(temp('config'), `[profile slow]\ncredential_process = sh -c "sleep 4; cat ${temp('keys.json')}"\n`);
  await withEnvironment({ AWS_CONFIG_FILE: temp('config') }, async () => {
    const storage = s3Storage({
      ...s3Options(server().endpoint, await newBucket()),
      access: { endpoint: server().endpoint, profile: 'slow' },
      limits: { quietMs: 300, pingMs: 300, stallMs: 20_000 },
    });
    expect(await storage.stat(key)).toBeUndefined();
  });
});

test('keys for a web identity, as CI gives one', async () => {
  const asked: string[] = [];
  const tokens: unknown[] = [];
  // Both the service that gives keys for an identity and a bucket, which is empty.
  const aws = createServer(async (request, response) => {
    let form = '';
    for await (const chunk of request) form += chunk;
    if (request.method === 'POST') asked.push(form);
    else tokens.push(request.headers['x-amz-security-token']);
    const keys = `<AccessKeyId>role</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>`;
    const until = `<Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>`;
    const given = `<AssumeRoleWithWebIdentityResult><Credentials>${keys}${until}</Credentials></AssumeRoleWithWebIdentityResult>`;
    response.writeHead(request.method === 'POST' ? 200 : 404);
    response.end(
      request.method === 'POST'
        ? `<AssumeRoleWithWebIdentityResponse>${given}</AssumeRoleWithWebIdentityResponse>`
        : '<Error><Code>NoSuchKey</Code></Error>',
    );
  });
  await new Promise<void>((resolve) => {
    aws.listen(0, '127.0.0.1', resolve);
  });
  const address = aws.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  writeFileSync(temp('token'), 'the-identity');
  const identity = {
    AWS_WEB_IDENTITY_TOKEN_FILE: temp('token'),
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/data',
    AWS_ENDPOINT_URL_STS: endpoint,
  };
  try {
    await withEnvironment(identity, async () => {
      const storage = s3Storage(s3Options(endpoint, 'bucket', { access: { endpoint, region: 'us-east-1' } }));
      const all = { offset: 0, length: 1 };
      expect(await Promise.all([storage.get(key, all), storage.get(key, all)])).toEqual([undefined, undefined]);
    });
  } finally {
    aws.closeAllConnections();
    aws.close();
  }
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain('WebIdentityToken=the-identity');
  expect(tokens).toEqual(['session', 'session']);
});
