import { SluiceError } from '../errors.js';
import { digestOf } from '../model/digest.js';
import { faulty } from '../testing/faulty-storage.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { areaOf, areaOrder, parseArea } from './areas.js';
import { FORMAT_KEY, mapKey } from './keys.js';
import { isComplete, openRemote } from './remote.js';
import { counting } from './storage/counting.js';
import { bodyOf } from './storage/port.js';

const root = digestOf('a root');
const something = bodyOf(Buffer.from('x'));

test('asks for the format once, and makes an empty remote ready once', async () => {
  const storage = counting(memoryStorage());
  const remote = openRemote({ storage, area: 'shared' });
  expect(storage.requests.get).toBe(0);
  expect(await remote.contact()).toBe('empty');
  expect(await isComplete(remote, root)).toBe(false);
  await remote.prepare();
  await remote.prepare();
  expect(await remote.contact()).toBe('used');
  expect(storage.requests).toMatchObject({ get: 1, put: 1, head: 0 });
});

test('a failure to look is not remembered', async () => {
  const storage = faulty(memoryStorage());
  storage.inject('get', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
  const remote = openRemote({ storage, area: 'shared' });
  await expect(remote.contact()).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
  expect(await remote.contact()).toBe('empty');
});

test.each(['{"version": 2}', '{}', '[]', 'null', 'hello', ''])(
  'refuses a format that is not known: %j',
  async (text) => {
    const storage = memoryStorage();
    storage.objects.set(FORMAT_KEY, Buffer.from(text));
    const remote = openRemote({ storage, area: 'shared' });
    await expect(remote.contact()).rejects.toMatchObject({ code: 'ERR_FORMAT_VERSION' });
    await expect(remote.prepare()).rejects.toMatchObject({ code: 'ERR_FORMAT_VERSION' });
  },
);

test('a format that is damaged is told from one that is newer, with what belongs there', async () => {
  const storage = memoryStorage();
  const hintFor = async (text: string): Promise<unknown> => {
    storage.objects.set(FORMAT_KEY, Buffer.from(text));
    const failure = await openRemote({ storage, area: 'shared' })
      .contact()
      .catch((error: unknown) => error);
    return failure instanceof SluiceError ? failure.hint : failure;
  };
  expect(await hintFor('{"version": 2}')).toContain('Update Sluice');
  for (const text of ['', '{"vers']) expect(await hintFor(text)).toContain('write {"version":1} to that object');
  expect(await hintFor('{"version":1}')).toBe('used');
});

test('a remote that was in use and has lost its mark names the file that says so', async () => {
  const remote = openRemote({ storage: memoryStorage(), area: 'shared', seen: '/ws/.sluice/index/have-1' });
  await expect(remote.contact()).rejects.toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    hint: expect.stringContaining('delete /ws/.sluice/index/have-1 too'),
  });
});

describe('completeness', () => {
  const ready = async (area: 'trusted' | 'shared' | 'pr/3', ...has: ('trusted' | 'shared' | 'pr/3')[]) => {
    const storage = faulty(memoryStorage());
    for (const place of has) await storage.put(mapKey(place, root), something);
    const remote = openRemote({ storage, area });
    await remote.prepare();
    return { storage, remote };
  };

  test('is proved by the own area and by a more trusted one only', async () => {
    const answer = async (area: 'trusted' | 'shared' | 'pr/3', has: 'trusted' | 'shared' | 'pr/3'): Promise<boolean> =>
      isComplete((await ready(area, has)).remote, root);
    expect([await answer('trusted', 'trusted'), await answer('trusted', 'shared')]).toEqual([true, false]);
    expect([await answer('shared', 'trusted'), await answer('shared', 'shared')]).toEqual([true, true]);
    expect([await answer('pr/3', 'trusted'), await answer('pr/3', 'pr/3')]).toEqual([true, true]);
    expect([await answer('pr/3', 'shared'), await answer('shared', 'pr/3')]).toEqual([false, false]);
  });

  test('is not known while an area does not answer, unless another proves it', async () => {
    const absent = await ready('shared');
    absent.storage.inject('stat', { kind: 'error', code: 'ERR_REMOTE_DENIED' });
    await expect(isComplete(absent.remote, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
    const present = await ready('shared', 'trusted');
    present.storage.inject('stat', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
    expect(await isComplete(present.remote, root)).toBe(true);
    present.storage.assertAllHit();
  });
});

test('areas', () => {
  expect(['trusted', 'shared', 'pr/12'].map((text) => parseArea(text))).toEqual(['trusted', 'shared', 'pr/12']);
  for (const text of ['', 'Trusted', 'pr/', 'pr/0', 'pr/x', 'pr/1/2', '../shared', 'pr/01']) {
    expect(() => parseArea(text)).toThrow('not a trust area');
  }
  expect(areaOf(2, 'pr/9')).toBe('pr/9');
  expect([areaOf(2, 'shared'), areaOf(3, 'pr/9')]).toEqual([undefined, undefined]);
  expect(areaOrder('pr/9').bytes).toEqual(['pr/9', 'trusted', 'shared']);
});
