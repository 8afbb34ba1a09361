import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { rawDigestOf } from '../model/digest.js';
import { useTempDir } from '../testing/temp-dir.js';
import { realFiles } from './files.js';
import { storeLayout } from './layout.js';
import { listNames, openLease, readLeases, removeLeftovers } from './lease.js';
import { isProcessAlive, newOwner, parseOwner, startTime } from './owner.js';

const temp = useTempDir();
const layout = () => storeLayout(temp());
const A = rawDigestOf(Buffer.from('a'));
const B = rawDigestOf(Buffer.from('b'));

/** What a writer leaves that was killed in the middle of an append. */
function dieWriting(bytes: Buffer): string {
  const own = newOwner(realFiles);
  const name = [own.host, own.boot, own.namespace, own.pid, '1', '0123'].join('-');
  fs.mkdirSync(temp('leases'), { recursive: true });
  fs.mkdirSync(temp('tmp', name), { recursive: true });
  fs.writeFileSync(temp('leases', name), bytes);
  fs.writeFileSync(temp('tmp', name, 'half'), 'half an object');
  return name;
}

test('a lease says what its writer relies on, until it is released', () => {
  const lease = openLease(realFiles, layout());
  fs.writeFileSync(`${lease.tmpDir}/x`, 'x');
  lease.append(A);
  lease.append(Buffer.concat([B, A]));
  expect(readLeases(realFiles, layout())).toEqual([Buffer.concat([A, B, A])]);
  expect(removeLeftovers(realFiles, layout())).toBe(0);
  lease.release();
  lease.release();
  expect([...listNames(realFiles, temp('leases')), ...listNames(realFiles, temp('tmp'))]).toEqual([]);
  expect(readLeases(realFiles, layout())).toEqual([]);
});

test('a torn last digest is left out', () => {
  const lease = openLease(realFiles, layout());
  lease.append(A);
  lease.append(B.subarray(0, 31));
  expect(readLeases(realFiles, layout())).toEqual([A]);
  lease.release();
});

test('what a killed writer left goes, what a live one has stays', () => {
  dieWriting(A);
  const lease = openLease(realFiles, layout());
  fs.mkdirSync(temp('tmp', 'no owner'), { recursive: true });
  expect(removeLeftovers(realFiles, layout())).toBe(2);
  expect(listNames(realFiles, temp('tmp'))).toEqual([lease.owner.name]);
  expect(listNames(realFiles, temp('leases'))).toEqual([lease.owner.name]);
  const dead = dieWriting(A);
  expect(readLeases(realFiles, layout())).toEqual([Buffer.alloc(0)]);
  expect(listNames(realFiles, temp('tmp'))).not.toContain(dead);
  lease.release();
});

test('a lease whose directory cannot be made is not left behind', () => {
  fs.writeFileSync(temp('tmp'), '');
  expect(() => openLease(realFiles, layout())).toThrow();
  expect(listNames(realFiles, temp('leases'))).toEqual([]);
});

test('an owner says who it is', () => {
  const owner = newOwner(realFiles);
  expect(parseOwner(owner.name)).toEqual(owner);
  expect(newOwner(realFiles).name).not.toBe(owner.name);
  expect(owner.pid).toBe(process.pid);
  for (const name of ['', 'a', `${owner.name}-1`, `${owner.name}.tmp`, '../x', 'g-b-1-2-3-c']) {
    expect(parseOwner(name)).toBeUndefined();
  }
});

test('a process is alive until it is gone, and a zombie is not', async () => {
  expect(isProcessAlive(realFiles, process.pid, startTime(realFiles, process.pid) ?? '0')).toBe(true);
  expect(isProcessAlive(realFiles, process.pid, '12')).toBe(process.platform !== 'linux');
  // The shell does not wait for its child, which becomes a zombie.
  const shell = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 10'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [output] = await once(shell.stdout, 'data');
  const zombie = Number(String(output));
  const { pid = 0 } = shell;
  const start = startTime(realFiles, pid) ?? '0';
  for (let i = 0; i < 100 && isProcessAlive(realFiles, zombie, '1'); i++)
    await new Promise((done) => setTimeout(done, 10));
  expect(isProcessAlive(realFiles, zombie, '1')).toBe(false);
  expect(isProcessAlive(realFiles, pid, start)).toBe(true);
  shell.kill('SIGKILL');
  await once(shell, 'exit');
  expect(isProcessAlive(realFiles, pid, start)).toBe(false);
});
