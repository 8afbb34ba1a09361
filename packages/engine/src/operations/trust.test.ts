import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { MAIN, MAKE, made, run, STRICT, useActors } from '../testing/actors.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
const open = new Set<Engine>();
afterEach(async () => {
  for (const engine of open) await engine.close();
  open.clear();
});
const { actor, newPlace } = useActors(temp);

test('who is strict without a key is told so, before anything is asked or run', async () => {
  const place = newPlace();
  const main = await actor(place, { area: 'trusted', trust: 'strict' });
  const missing = { code: 'ERR_SIGNING_KEY', exitCode: 2 };
  await expect(main.engine.serveRemotes({ mayWrite: true, dir: tmpdir() })).rejects.toMatchObject(missing);
  await expect(main.engine.push({ select: [] })).rejects.toMatchObject(missing);
  await expect(run(main)).rejects.toMatchObject(missing);
  expect(fs.existsSync(temp('runs'))).toBe(false);
  const short = await actor(place, { area: 'trusted', key: 'hunter2' });
  await expect(short.engine.push({ select: [] })).rejects.toMatchObject({
    ...missing,
    message: expect.not.stringContaining('hunter2'),
  });
});

test.each([
  ['sluice.json', { 'sluice.json': { trust: 'strict' } }, {}],
  ['sluice.json, for one remote', { 'sluice.json': { remotes: { main: { trust: 'strict' } } } }, {}],
  ['sluice.local.json', { 'sluice.local.json': { trust: 'strict' } }, {}],
  ['the environment', {}, { SLUICE_TRUST: 'strict' }],
])('%s can ask for more, and nothing for less', async (__, files, env) => {
  const root = temp('asking');
  fs.mkdirSync(root);
  const url = `file://${temp('remote')}`;
  const lax = { trust: 'areas', remotes: { main: { url, trust: 'areas' } }, defaultRemote: 'main' };
  const asked: Record<string, { readonly trust?: string; readonly remotes?: { readonly main?: object } }> = {
    'sluice.json': {},
    'sluice.local.json': {},
    ...files,
  };
  for (const [name, content] of Object.entries(asked)) {
    const main = { ...lax.remotes.main, ...content.remotes?.main };
    fs.writeFileSync(`${root}/${name}`, JSON.stringify({ ...lax, ...content, remotes: { main } }));
  }
  fs.writeFileSync(`${root}/nx.json`, '{}');
  const engine = await openEngine({ root, env: { SLUICE_TRUST: 'areas', ...env }, trust: 'areas', threads: 0 });
  open.add(engine);
  await expect(engine.pingRemote('main')).rejects.toMatchObject({ code: 'ERR_SIGNING_KEY' });
});

test('what was pushed without a key is found by a check, and its repair signs it', async () => {
  const place = newPlace();
  const before = await actor(place, { ...MAIN, data: 'data' });
  await before.engine.commit({ select: ['p:data'] });
  await before.engine.push({ select: [] });
  const main = await actor(place, { ...STRICT, data: 'data' });
  await main.engine.commit({ select: ['p:data'] });
  const codes = async (repair: boolean): Promise<string[]> =>
    (await main.engine.verifyRemote({ remote: 'main', repair })).findings.map(
      ({ problem, repaired }) => `${problem.code} ${repaired}`,
    );
  expect(await codes(false)).toEqual(['ERR_SIGNATURE false']);
  expect(await codes(true)).toEqual(['ERR_SIGNATURE true']);
  expect(await codes(false)).toEqual([]);
});

test('the command of a stage has no key', async () => {
  const main = await actor(newPlace(), STRICT);
  const options = { ...MAKE.options, command: 'mkdir out && env > out/copy' };
  fs.writeFileSync(main.at('p/project.json'), JSON.stringify({ name: 'p', targets: { make: { ...MAKE, options } } }));
  expect(await run(main)).toBe('ran');
  expect(made(main)).toContain('PATH=');
  expect(made(main)).not.toMatch(/SLUICE_SIGNING_KEY|the-key-of-the-team/);
});
