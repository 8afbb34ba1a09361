import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTempDir } from '../testing/temp-dir.js';
import { realFiles } from './files.js';
import { storeLayout } from './layout.js';
import { listNames } from './lease.js';
import { type AcquireOptions, acquire, type Held } from './mutex.js';
import { newOwner, startTime } from './owner.js';

const temp = useTempDir();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function take(options: Partial<AcquireOptions> = {}): Promise<Held> {
  return acquire(realFiles, storeLayout(temp()), 'it', { wait: true, what: 'it', ...options });
}

function present(): string[] {
  return listNames(realFiles, temp('locks', 'it'));
}

/** The lock file of another process, as it would have made it, and that process. */
async function heldByChild(note: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)']);
  children.push(child);
  await once(child.stdout, 'data');
  const own = newOwner(realFiles);
  const pid = child.pid ?? 0;
  const start = startTime(realFiles, pid) ?? '0';
  fs.mkdirSync(temp('locks', 'it'), { recursive: true });
  const name = [own.host, own.boot, own.namespace, pid, start, 'abcdef'].join('-');
  fs.writeFileSync(temp('locks', 'it', name), note);
  return child;
}

test('one holds it, the next waits until it is free', async () => {
  const order: string[] = [];
  const first = await take();
  let waits = 0;
  const second = take({ onWait: () => waits++ }).then((held) => {
    order.push('second');
    return held;
  });
  await sleep(100);
  order.push('first');
  first.release();
  (await second).release();
  expect(order).toEqual(['first', 'second']);
  expect(waits).toBe(1);
  expect(present()).toEqual([]);
});

test('many contenders have it one after the other', async () => {
  let inside = 0;
  let most = 0;
  let done = 0;
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const held = await take();
      most = Math.max(most, ++inside);
      await sleep(Math.random() * 5);
      inside--;
      done++;
      held.release();
    }),
  );
  expect([most, done]).toEqual([1, 12]);
}, 20_000);

test('who does not want to wait is told at once, and leaves no trace', async () => {
  const held = await take();
  const before = present();
  await expect(take({ wait: false })).rejects.toMatchObject({ code: 'ERR_HELD', exitCode: 5 });
  expect(present()).toEqual(before);
  held.release();
  (await take({ wait: false })).release();
});

test('of several that do not want to wait, one gets it', async () => {
  for (let round = 0; round < 6; round++) {
    const results = await Promise.allSettled([take({ wait: false }), take({ wait: false }), take({ wait: false })]);
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const { value } of won) value.release();
  }
});

test('who does not want to wait is not turned away by one who only asks too', async () => {
  const child = await heldByChild('');
  const [asking = ''] = present();
  fs.rmSync(temp('locks', 'it', asking));
  let looks = 0;
  const readdirSync = ((path: string) => {
    // The other has announced itself, sees this one, and withdraws.
    if (++looks === 1) fs.writeFileSync(temp('locks', 'it', asking), '');
    else fs.rmSync(temp('locks', 'it', asking), { force: true });
    return realFiles.readdirSync(path);
  }) as typeof realFiles.readdirSync;
  const layout = storeLayout(temp());
  const held = await acquire({ ...realFiles, readdirSync }, layout, 'it', { wait: false, what: 'it' });
  expect(looks).toBe(2);
  held.release();
  child.kill('SIGKILL');
});

test('waiting ends with an abort', async () => {
  const held = await take();
  const before = present();
  const controller = new AbortController();
  const waiting = take({ signal: controller.signal });
  await sleep(30);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
  await expect(take({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
  expect(present()).toEqual(before);
  held.release();
});

test('a process that lives keeps it, one that was killed gives it up with its note', async () => {
  const child = await heldByChild('group 1 2');
  await expect(take({ wait: false })).rejects.toThrow(`pid ${child.pid}`);
  const notes: string[] = [];
  const waiting = take({ onDead: (note) => void notes.push(note) });
  await sleep(50);
  expect(notes).toEqual([]);
  child.kill('SIGKILL');
  const held = await waiting;
  expect(notes).toEqual(['group 1 2']);
  expect(present()).toHaveLength(1);
  held.release();
});

test('when clearing up after a dead holder fails, it is still to be cleared up', async () => {
  const child = await heldByChild('note');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect(
    take({
      onDead: () => {
        throw new Error('no');
      },
    }),
  ).rejects.toThrow('no');
  expect(present()).toHaveLength(1);
  const notes: string[] = [];
  (await take({ onDead: (note) => void notes.push(note) })).release();
  expect(notes).toEqual(['note']);
});

test('the last note counts, also after a longer one', async () => {
  const held = await take();
  held.note('group 12345 67890');
  held.note('group 9 5');
  const [name = ''] = present();
  const text = fs.readFileSync(temp('locks', 'it', name), 'utf8');
  held.release();
  // As if it had died with it.
  fs.writeFileSync(temp('locks', 'it', name.replace(/-\d+-(?=[0-9a-f]+$)/, '-1-')), text);
  const notes: string[] = [];
  (await take({ onDead: (note) => void notes.push(note) })).release();
  expect(notes).toEqual(['group 9 5']);
});

test('an owner on another machine, in another container or before the last start', async () => {
  const own = newOwner(realFiles);
  const name = (change: Partial<typeof own>): string => {
    const { host, boot, namespace, pid, start } = { ...own, ...change };
    return [host, boot, namespace, pid, start, 'abcdef'].join('-');
  };
  const isHeld = async (file: string, ageMs: number): Promise<boolean> => {
    const path = temp('locks', 'it', file);
    fs.mkdirSync(temp('locks', 'it'), { recursive: true });
    fs.writeFileSync(path, '');
    const then = new Date(Date.now() - ageMs);
    fs.utimesSync(path, then, then);
    const result = await take({ wait: false }).then(
      (held) => {
        held.release();
        return false;
      },
      () => true,
    );
    fs.rmSync(path, { force: true });
    return result;
  };
  const hour = 3_600_000;
  expect(await isHeld(name({}), 100 * hour)).toBe(true);
  expect(await isHeld(name({ start: '1' }), 0)).toBe(false);
  expect(await isHeld(name({ host: 'aaaa' }), 2 * hour)).toBe(true);
  expect(await isHeld(name({ host: 'aaaa' }), 25 * hour)).toBe(false);
  expect(await isHeld(name({ namespace: '1' }), 2 * hour)).toBe(true);
  expect(await isHeld(name({ namespace: '1' }), 25 * hour)).toBe(false);
  expect(await isHeld(name({ boot: 'bbbb' }), 1000)).toBe(true);
  expect(await isHeld(name({ boot: 'bbbb' }), 600_000)).toBe(false);
  expect(await isHeld('something else', 0)).toBe(false);
});

test('a store that cannot be written', async () => {
  fs.writeFileSync(temp('locks'), '');
  await expect(take()).rejects.toThrow();
  const refuse = (): never => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES', path: temp('locks') });
  };
  const layout = storeLayout(temp());
  const taking = acquire({ ...realFiles, mkdirSync: refuse }, layout, 'it', { wait: true, what: 'it' });
  await expect(taking).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE' });
});
