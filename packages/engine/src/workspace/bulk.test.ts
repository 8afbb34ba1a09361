import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseRelPath } from '../model/path.js';
import { realFiles } from '../store/files.js';
import { StoreMoved } from '../store/ingest.js';
import { diskTree, writeTree } from '../testing/disk-tree.js';
import { storeOut, useWorkspace } from '../testing/workspace.js';
import { type Bulk, type BulkLane, createBulk, deal, type Job } from './bulk.js';

const { workspace, at } = useWorkspace();
const opened: Bulk[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bulk) => bulk.close()));
});

type Request = { readonly do: 'end-place' };
const REQUEST: Request = { do: 'end-place' };

/** Bulk work whose workers run a script of this test. */
function bulkOf(script: string, threads = 2): Bulk {
  workspace();
  fs.writeFileSync(at('worker.mjs'), `import { parentPort } from 'node:worker_threads';\n${script}`);
  const bulk = createBulk(realFiles, pathToFileURL(at('worker.mjs')), threads);
  opened.push(bulk);
  return bulk;
}

function lanesOf(bulk: Bulk): readonly BulkLane[] {
  return bulk.lanes(10_000, 2 ** 40);
}

test('small jobs stay on this thread, many small files are shared with a worker, large ones go to workers', () => {
  const bulk = bulkOf('');
  expect(bulk.lanes(10, 10)).toHaveLength(1);
  expect(bulk.lanes(10, 10)[0]).toBe(bulk.lanes(5, 5)[0]);
  const [worker, ...others] = lanesOf(bulk);
  expect(others).toHaveLength(1);
  const shared = bulk.lanes(10_000, 10);
  expect(shared).toHaveLength(2);
  expect(shared[0]).toBe(bulk.lanes(10, 10)[0]);
  expect(shared[1]).toBe(worker);
  expect(bulk.lanes(1, 2 ** 40)[0]).toBe(bulk.lanes(5, 5)[0]);
  expect(bulk.lanes(2, 2 ** 40)).toEqual(lanesOf(bulk));
});

test('answers come to their questions, and errors keep their codes', async () => {
  const [lane] = lanesOf(
    bulkOf(`
      const answers = [{ value: 1 }, { error: { code: 'ERR_HELD', message: 'held' } }, { moved: true }, { value: 2 }];
      parentPort.on('message', () => parentPort.postMessage(answers.shift()));`),
  );
  const asked = await Promise.allSettled([1, 2, 3, 4].map(() => lane?.ask(REQUEST)));
  expect(asked).toMatchObject([
    { value: 1 },
    { reason: { code: 'ERR_HELD', message: 'held' } },
    { reason: expect.any(StoreMoved) },
    { value: 2 },
  ]);
});

test.each([
  ['throws', "throw new Error('boom')"],
  ['exits', 'process.exit(3)'],
])('a worker that %s fails what is asked of it, and is replaced', async (_, end) => {
  const bulk = bulkOf(`parentPort.on('message', () => { ${end} });`, 1);
  const [lane] = lanesOf(bulk);
  const first = await Promise.allSettled([lane?.ask(REQUEST), lane?.ask(REQUEST)]);
  expect(first).toMatchObject([{ reason: { code: 'ERR_INTERNAL' } }, { reason: { code: 'ERR_INTERNAL' } }]);
  await expect(lane?.ask(REQUEST)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  fs.writeFileSync(
    at('worker.mjs'),
    "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => parentPort.postMessage({ value: 5 }));",
  );
  await expect(lanesOf(bulk)[0]?.ask(REQUEST)).resolves.toBe(5);
});

test('a commit whose workers die fails, and is not waited for', async () => {
  const bulk = bulkOf("parentPort.on('message', () => process.exit(1));");
  writeTree(at('out'), diskTree(Object.fromEntries(Array.from({ length: 1600 }, (_, i) => [`f${i}`, '']))));
  await expect(storeOut({ ...workspace(), bulk }, parseRelPath('out'))).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  await storeOut(workspace(), parseRelPath('out'));
});

/** Jobs that count how far they came. */
function* jobs(count: number, taken: number[]): Generator<Job<Request>> {
  for (let i = 0; i < count; i++) yield { request: REQUEST, take: () => void taken.push(i) };
}

test('every job is dealt once, to all lanes', async () => {
  const busy = [0, 0];
  const lanes: BulkLane[] = busy.map((_, n) => ({
    ask: async () => {
      busy[n] = (busy[n] ?? 0) + 1;
      await new Promise((done) => setImmediate(done));
      return null as never;
    },
  }));
  const taken: number[] = [];
  await deal(lanes, jobs(50, taken), undefined);
  expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(Math.min(...busy)).toBeGreaterThan(10);
});

test('after a failure no further job is dealt, and those under way are awaited', async () => {
  let asked = 0;
  let underWay = 0;
  const lane: BulkLane = {
    ask: async () => {
      const mine = ++asked;
      underWay++;
      await new Promise((done) => setTimeout(done, mine === 2 ? 30 : 1));
      underWay--;
      if (mine === 1) throw new Error('first');
      return null as never;
    },
  };
  await expect(deal([lane], jobs(50, []), undefined)).rejects.toThrow('first');
  expect([asked, underWay]).toEqual([2, 0]);
});

test('after an abort no further job is dealt', async () => {
  const controller = new AbortController();
  const taken: number[] = [];
  const lane: BulkLane = {
    ask: async () => {
      if (taken.length === 4) controller.abort();
      return null as never;
    },
  };
  await expect(deal([lane], jobs(50, taken), controller.signal)).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
  expect(taken.length).toBeLessThan(10);
});
