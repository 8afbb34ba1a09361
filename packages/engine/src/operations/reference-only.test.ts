import fs from 'node:fs';
import { SluiceError } from '../errors.js';
import { type TestRepository, useRepositories } from '../testing/repository.js';

const { create, clone, temp } = useRepositories();

/** A dataset that was pushed, and a stage that reads it. */
async function pushed(): Promise<TestRepository> {
  const data = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
  const use = {
    executor: '@sluice/nx:stage',
    options: { command: 'cat data/* > all', deps: ['{projectRoot}/data'], outs: ['{projectRoot}/all'] },
  };
  const w = await create({
    'p/project.json': { name: 'p', targets: { data, use } },
    'p/data/a.txt': 'first',
    'p/data/b.txt': 'second',
  });
  await w.engine.commit({ select: ['p:data'] });
  w.commit('data');
  await w.engine.push({ select: ['p:data'] });
  return w;
}

const use = ({ engine }: TestRepository) =>
  engine.runStage({ id: { project: 'p', target: 'use' } }, { force: false, wait: true, materialize: true });
const exported = ({ engine }: TestRepository) => engine.exportData({ select: ['p:data'], to: temp('out') });

async function problemOf(act: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw new Error(`no SluiceError: ${String(error)}`);
}

describe.each([
  ['a stage that reads it', use],
  ['an export', exported],
])('data that is reference-only is brought for %s', (_, read) => {
  test('and named with digest, size, remotes and command where it cannot be had', async () => {
    const w = await pushed();
    const [out] = (await w.engine.ls({ select: ['p:data'] })).outs;
    const details = {
      digest: out?.digest,
      path: 'p/data',
      files: 2,
      bytes: 11,
      remotes: ['shelf'],
      command: 'sluice fetch p:data',
    };
    const offline = await problemOf(read(await clone(w, 'offline', { offline: true })));
    expect([offline.code, offline.exitCode, offline.details]).toEqual(['ERR_NOT_LOCAL', 4, details]);
    expect(offline.message).toBe(`${out?.digest} is needed and not in the store: p/data of p:data (2 files, 11 B)`);
    expect(offline.hint).toBe('Remote shelf was not asked, being offline. It is brought by: sluice fetch p:data');

    const fresh = await clone(w, 'fresh');
    fs.rmSync(temp('shelf/shared/maps'), { recursive: true });
    const gone = await problemOf(read(fresh));
    expect([gone.code, gone.details]).toEqual(['ERR_NOT_LOCAL', details]);
  });

  test('from the remote', async () => {
    const w = await pushed();
    const fresh = await clone(w, 'fresh');
    await read(fresh);
    const path = fs.existsSync(temp('out')) ? temp('out/a.txt') : fresh.at('p/data/a.txt');
    expect(fs.readFileSync(path, 'utf8')).toBe('first');
  });
});
