import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
const open = new Set<Engine>();
afterEach(async () => {
  for (const engine of open) await engine.close();
  open.clear();
});

const STAGES = 20;

/** A clone with an empty store; stage `n` reads `p<n>/in`. */
function clone(name: string, locksOf?: string): string {
  const root = temp(name);
  const write = (path: string, content: string): void => {
    fs.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    fs.writeFileSync(`${root}/${path}`, content);
  };
  write('nx.json', '{}');
  write('sluice.json', JSON.stringify({ remotes: { main: { url: `file:${temp('remote')}` } }, defaultRemote: 'main' }));
  for (let at = 0; at < STAGES; at++) {
    const options = { command: 'cp in out', deps: ['{projectRoot}/in'], outs: ['{projectRoot}/out'] };
    const targets = { make: { executor: '@sluice/nx:stage', options } };
    write(`p${at}/project.json`, JSON.stringify({ name: `p${at}`, targets }));
    write(`p${at}/in`, `data of ${at}\n`);
    if (locksOf !== undefined)
      fs.copyFileSync(temp(locksOf, `p${at}/sluice-lock.json`), `${root}/p${at}/sluice-lock.json`);
  }
  return root;
}

/** As a CI job does it: one process with the keys, and one for each stage, which has only the broker. */
async function runJob(root: string, materialize: boolean) {
  const host = await openEngine({ root, env: {}, area: 'trusted', threads: 0 });
  open.add(host);
  const served = await host.serveRemotes({ mayWrite: true, dir: tmpdir() });
  const outcomes: string[] = [];
  for (let at = 0; at < STAGES; at++) {
    const executor = await openEngine({ root, env: { PATH: process.env.PATH, ...served.env }, threads: 0 });
    const id = { project: `p${at}`, target: 'make' };
    const { outcome } = await executor.runStage({ id }, { force: false, wait: true, materialize });
    outcomes.push(outcome);
    await executor.close();
  }
  const [traffic] = served.traffic();
  return {
    host,
    outcomes: [...new Set(outcomes)],
    outcome: outcomes,
    requests: traffic?.requests ?? 0,
    received: traffic?.receivedBytes ?? 0,
  };
}

test('executors reach remotes by the process that serves them, and a fresh clone asks for little', async () => {
  const first = await runJob(clone('first'), false);
  expect(first.outcomes).toEqual(['ran']);
  await first.host.push({ select: [] });

  const unchanged = await runJob(clone('unchanged', 'first'), false);
  expect(unchanged.outcomes).toEqual(['unchanged']);
  expect(unchanged.requests).toBeLessThanOrEqual(2 * STAGES);
  expect(unchanged.received).toBeLessThan(STAGES * 100);

  // Without a lock that names it, by its record, which lies in the trusted area.
  const restored = await runJob(clone('restored'), true);
  expect(restored.outcomes).toEqual(['restored']);
  expect(fs.readFileSync(temp('restored/p7/out'), 'utf8')).toBe('data of 7\n');

  const changed = clone('changed', 'first');
  fs.writeFileSync(`${changed}/p3/in`, 'other\n');
  const one = await runJob(changed, false);
  expect(one.outcome.filter((outcome) => outcome === 'ran')).toHaveLength(1);
});

test('without a broker nobody writes in the trusted area', async () => {
  const root = clone('laptop');
  const laptop = await openEngine({
    root,
    env: { PATH: process.env.PATH, SLUICE_AREA: 'trusted', SLUICE_BROKER_AREA: 'trusted' },
    threads: 0,
  });
  open.add(laptop);
  await laptop.runStage({ id: { project: 'p0', target: 'make' } }, { force: false, wait: true, materialize: false });
  await laptop.push({ select: ['p0:make'] });
  expect(fs.readdirSync(temp('remote')).sort()).toEqual(expect.arrayContaining(['format', 'shared']));
  expect(fs.existsSync(temp('remote/trusted'))).toBe(false);
});
