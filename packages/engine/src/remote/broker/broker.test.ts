import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { SluiceError } from '../../errors.js';
import { printRecord, type StageRecord, trackedKey } from '../../model/record.js';
import { faulty } from '../../testing/faulty-storage.js';
import { type MemoryStorage, memoryStorage } from '../../testing/memory-storage.js';
import { useTempDir } from '../../testing/temp-dir.js';
import type { Area } from '../areas.js';
import { brokerAccess, withoutSecrets } from '../storage/broker/access.js';
import { brokerStorage } from '../storage/broker/broker.js';
import { fileStorage } from '../storage/file.js';
import { bodyOf, type Storage, storageKey } from '../storage/port.js';
import { storageContract } from '../storage/storage.suite.js';
import { type Guard, guardArea } from './allow.js';
import { type Broker, type Served, startBroker } from './serve.js';

const at = useTempDir();
const running: Broker[] = [];
afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
});

const OPEN: Guard = { writeOnce: false, read: () => undefined, write: () => undefined, body: async (_, body) => body };

async function serve(storage: Storage, guard: Guard, area: Area = 'shared'): Promise<Broker> {
  const open = (name: string): Served | undefined => (name === 'main' ? { storage, guard } : undefined);
  const broker = await startBroker({ open, area, isStrict: false, dir: tmpdir() });
  running.push(broker);
  return broker;
}

function clientOf({ env }: Broker, remote = 'main', token?: string): Storage {
  const access = brokerAccess(env);
  if (access === undefined) throw new Error('no broker');
  const description = 'main by its broker';
  return brokerStorage({
    access: { ...access, token: token ?? access.token },
    remote,
    description,
    durable: true,
    concurrency: 4,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof SluiceError ? error.code : String(error);
  }
}

storageContract('a remote by its broker', async () => {
  const broker = await serve(fileStorage({ dir: at('remote'), missingIsEmpty: true }), OPEN);
  return { storage: clientOf(broker) };
});

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const blob = (area: string, text: string) => storageKey(`${area}/blobs/${hex(text).slice(0, 2)}/${hex(text).slice(2)}`);
const body = (text: string) => bodyOf(Buffer.from(text));

function recordOf(area: string): { readonly key: ReturnType<typeof storageKey>; readonly text: string } {
  const outs = new Map();
  const record: StageRecord = {
    fingerprint: trackedKey(outs),
    tracked: true,
    parts: [],
    outs,
    stage: { project: 'p', target: 't' },
    made: { at: '2026-01-01T00:00:00.000Z', ms: 1 },
    area,
  };
  const name = record.fingerprint.slice('sha256:'.length);
  return { key: storageKey(`shared/records/${name.slice(0, 2)}/${name.slice(2)}.json`), text: printRecord(record) };
}

describe('a broker of the shared area', () => {
  let inner: MemoryStorage;
  let storage: Storage;
  beforeEach(async () => {
    inner = memoryStorage();
    storage = clientOf(await serve(inner, guardArea('shared', true)));
  });

  test('takes blobs and records that are what their keys say', async () => {
    expect(await storage.put(blob('shared', 'a'), body('a'))).toBe('stored');
    const { key, text } = recordOf('shared');
    expect(await storage.put(key, body(text))).toBe('stored');
    expect(inner.objects.size).toBe(2);
  });

  test('takes nothing that is something else, and nothing for another area', async () => {
    const { key } = recordOf('shared');
    for (const [wrong, text] of [
      [blob('shared', 'a'), 'b'],
      [key, recordOf('trusted').text],
      [key, '{}'],
      [storageKey(`shared/packs/${'0'.repeat(32)}.pack`), 'no pack'],
      [storageKey(`shared/maps/00/${'0'.repeat(62)}.map`), 'no map'],
      [storageKey('format'), 'x'.repeat(5000)],
      [blob('trusted', 'a'), 'a'],
      [blob('pr/7', 'a'), 'a'],
      [storageKey('shared/other/file'), 'a'],
      [storageKey('elsewhere'), 'a'],
    ] as const)
      expect([wrong, await codeOf(storage.put(wrong, body(text)))]).toEqual([
        wrong,
        expect.stringMatching(/^ERR_(REMOTE_DENIED|RECORD_INVALID|PACK_INVALID|MAP_INVALID)$/),
      ]);
    expect(inner.objects.size).toBe(0);
  });

  test('never replaces what is there', async () => {
    const { key, text } = recordOf('shared');
    inner.objects.set(key, Buffer.from('first'));
    expect(await storage.put(key, body(text))).toBe('exists');
    expect(inner.objects.get(key)?.toString()).toBe('first');
  });

  test('reads its own and more trusted areas only', async () => {
    for (const area of ['shared', 'trusted', 'pr/7']) inner.objects.set(blob(area, 'a'), Buffer.from('a'));
    expect((await storage.stat(blob('shared', 'a')))?.bytes).toBe(1);
    expect((await storage.stat(blob('trusted', 'a')))?.bytes).toBe(1);
    expect(await codeOf(storage.stat(blob('pr/7', 'a')))).toBe('ERR_REMOTE_DENIED');
    expect(await codeOf(storage.get(storageKey('shared/secrets'), { offset: 0, length: 1 }))).toBe('ERR_REMOTE_DENIED');
  });

  test('passes on what the remote says', async () => {
    const down = faulty(inner);
    down.inject('stat', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
    down.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
    const broken = clientOf(await serve(down, guardArea('shared', true)));
    expect(await codeOf(broken.stat(blob('shared', 'a')))).toBe('ERR_REMOTE_DOWN');
    expect(await codeOf(broken.put(blob('shared', 'a'), body('a')))).toBe('ERR_REMOTE_DOWN');
    down.assertAllHit();
  });
});

test('who may not write can still read, and is told why', async () => {
  const inner = memoryStorage();
  inner.objects.set(blob('trusted', 'a'), Buffer.from('a'));
  const storage = clientOf(await serve(inner, guardArea('pr/7', false), 'pr/7'));
  expect((await storage.get(blob('trusted', 'a'), { offset: 0, length: 9 }))?.toString()).toBe('a');
  expect(await codeOf(storage.put(blob('pr/7', 'a'), body('a')))).toBe('ERR_REMOTE_READ_ONLY');
});

test('the trusted area reads no records of others', async () => {
  const inner = memoryStorage();
  const { key, text } = recordOf('shared');
  inner.objects.set(key, Buffer.from(text));
  const storage = clientOf(await serve(inner, guardArea('trusted', true), 'trusted'));
  expect(await codeOf(storage.stat(key))).toBe('ERR_REMOTE_DENIED');
});

test('whoever wants all of an object need not know how large it is', async () => {
  const inner = memoryStorage();
  inner.objects.set(storageKey('format'), Buffer.from('{}'));
  const storage = clientOf(await serve(inner, OPEN));
  const all = { offset: 0, length: Number.MAX_SAFE_INTEGER };
  expect((await storage.get(storageKey('format'), all))?.toString()).toBe('{}');
});

test('without the token nothing is answered, and only the user can reach the socket', async () => {
  const broker = await serve(memoryStorage(), OPEN);
  const socket = brokerAccess(broker.env)?.socket ?? '';
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
  for (const token of ['', 'x', `${'0'.repeat(64)}`]) {
    expect(await codeOf(clientOf(broker, 'main', token).stat(storageKey('format')))).toBe('ERR_REMOTE_DENIED');
  }
  const status = await new Promise((resolve) => {
    request({ socketPath: socket, path: '/main/format' }, (answer) => resolve(answer.resume().statusCode)).end();
  });
  expect(status).toBe(401);
  expect(await codeOf(clientOf(broker, 'other').stat(storageKey('format')))).toBe('ERR_REMOTE_DENIED');
});

test('when the broker is gone, the remote is down', async () => {
  const broker = await serve(memoryStorage(), OPEN);
  const storage = clientOf(broker);
  expect(await storage.stat(storageKey('format'))).toBeUndefined();
  await broker.close();
  expect(await codeOf(storage.stat(storageKey('format')))).toBe('ERR_REMOTE_DOWN');
  expect(await codeOf(storage.put(storageKey('format'), body('x')))).toBe('ERR_REMOTE_DOWN');
});

test('the variables that lead to a broker can be taken away, and wrong ones are told', async () => {
  const { env } = await serve(memoryStorage(), OPEN);
  expect(withoutSecrets({ ...env, PATH: '/bin' })).toEqual({ PATH: '/bin' });
  expect(brokerAccess({ PATH: '/bin' })).toBeUndefined();
  expect(() => brokerAccess({ SLUICE_BROKER: 'http://x', SLUICE_BROKER_TOKEN: 't' })).toThrow('SLUICE_BROKER');
  expect(() => brokerAccess({ SLUICE_BROKER: 'unix:/s' })).toThrow('SLUICE_BROKER_TOKEN');
});
