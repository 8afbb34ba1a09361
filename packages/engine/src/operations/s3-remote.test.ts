import { writeFileSync } from 'node:fs';
import type { SluiceEvent } from '../events.js';
import type { S3StorageOptions } from '../remote/storage/s3.js';
import { openStore } from '../store/store.js';
import { useTempDir } from '../testing/temp-dir.js';
import { type Environment, readConfig, remoteNamed } from '../workspace/config.js';
import { usableLocation } from '../workspace/remote-url.js';
import { s3OptionsOf } from './s3-remote.js';

const temp = useTempDir();
const retry = { firstWaitMs: 1, longestWaitMs: 1, sleep: async () => {}, random: () => 0 };
const told: SluiceEvent[] = [];

function optionsOf(entry: object, env: Environment = {}): S3StorageOptions {
  writeFileSync(temp('sluice.json'), JSON.stringify({ remotes: { a: { url: 's3://bucket/p', ...entry } } }));
  const settings = remoteNamed(readConfig(temp(), {}), 'a');
  const location = usableLocation(settings);
  if (location.kind !== 's3') throw new Error('not a bucket');
  const store = openStore({ dir: temp('store'), durability: 'none' });
  store.close();
  return s3OptionsOf(settings, location, 8, retry, { store, env, emit: (event) => told.push(event) });
}

test('the configuration outranks the environment, and that outranks what is usual', () => {
  const env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://env:1', AWS_ENDPOINT_URL_S3: 'http://env-s3:1' };
  expect(optionsOf({}).access).toMatchObject({ region: undefined, endpoint: undefined });
  expect(optionsOf({}, { AWS_DEFAULT_REGION: 'r' }).access).toMatchObject({ region: 'r' });
  expect(optionsOf({}, env).access).toMatchObject({ region: 'eu-west-1', endpoint: 'http://env-s3:1' });
  expect(optionsOf({ region: 'auto', endpoint: 'https://own' }, env).access).toMatchObject({
    region: 'auto',
    endpoint: 'https://own',
  });
  expect(optionsOf({ endpoint: 'https://own' }).access).toMatchObject({ region: 'us-east-1' });
  expect(optionsOf({ profile: 'p', anonymous: true, forcePathStyle: false }).access).toMatchObject({
    profile: 'p',
    anonymous: true,
    forcePathStyle: false,
  });
});

test('AWS_MAX_ATTEMPTS says how often is tried, within reason', () => {
  const attempts = ['', '2', '0', 'many', '1000'].map(
    (text) => optionsOf({}, { AWS_MAX_ATTEMPTS: text }).retry.attempts,
  );
  expect(attempts).toEqual([5, 2, 5, 5, 20]);
});

test('what a service does with If-None-Match is remembered for it and no other', () => {
  const entry = { endpoint: 'http://one:1' };
  expect(optionsOf({}).writeOnce.supported).toBe(true);
  expect(optionsOf(entry).writeOnce.supported).toBeUndefined();
  optionsOf(entry).writeOnce.learn(true);
  expect(told).toEqual([]);
  expect(optionsOf(entry).writeOnce.supported).toBe(true);
  expect(optionsOf({ endpoint: 'http://two:1' }).writeOnce.supported).toBeUndefined();
  optionsOf({ endpoint: 'http://two:1' }).writeOnce.learn(false);
  expect(optionsOf({ endpoint: 'http://two:1' }).writeOnce.supported).toBe(false);
  expect(told).toMatchObject([
    { type: 'warning', message: expect.stringContaining('remote a does not know If-None-Match') },
  ]);
});
