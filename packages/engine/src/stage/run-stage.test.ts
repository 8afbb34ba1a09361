import fs from 'node:fs';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { makeStage, writeMakeStage } from '../testing/make-stage.js';
import { type TestStages, useStages } from '../testing/stage-context.js';

const stages = useStages();
let s: TestStages;
beforeEach(() => {
  s = stages();
  writeMakeStage(s);
});

describe('runs when it has to', () => {
  test('once, and then not again', async () => {
    expect(await s.outcome('make')).toBe('ran, new');
    expect(readTree(s.at('p/out'))).toEqual(diskTree({ a: 'in\n', 'd/b': 'b\n' }));
    expect(await s.outcome('make')).toBe('unchanged');
    expect(await s.outcome('make')).toBe('unchanged');
    expect(s.runs('make')).toBe(1);
    expect(s.read('p/.gitignore')).toBe('/out\n');
  });

  test.each<[string, () => void, string]>([
    ['a dep', () => s.write('p/in.txt', 'new\n'), 'ran, dep p/in.txt'],
    ['the exec bit of a dep', () => fs.chmodSync(s.at('p/make.sh'), 0o755), 'ran, dep p/make.sh'],
    ['a param', () => s.write('p/params.yaml', 'lr: 0.2\n'), 'ran, param p/params.yaml:lr'],
    ['the command', () => s.declare('make', makeStage({ command: 'sh make.sh # ' })), 'ran, command'],
    [
      'a new dep',
      () => s.declare('make', makeStage({ deps: ['p/in.txt', 'p/make.sh', 'p/params.yaml'] })),
      'ran, dep p/params.yaml',
    ],
    ['a dep that was removed', () => s.declare('make', makeStage({ deps: ['p/make.sh'] })), 'ran, dep p/in.txt'],
    ['a param that was removed', () => s.declare('make', makeStage({ params: [] })), 'ran, param p/params.yaml:lr'],
    ['an env name that was removed', () => s.declare('make', makeStage({ env: [] })), 'ran, env SEED'],
    ['a new runtime', () => s.declare('make', makeStage({ runtime: ['echo 1'] })), 'ran, runtime echo 1'],
    [
      'another directory',
      () => s.declare('make', makeStage({ cwd: '.', command: 'cd p && sh make.sh' })),
      'ran, command, cwd',
    ],
    [
      'more outs',
      () =>
        s.declare(
          'make',
          makeStage({
            outs: ['p/out', { path: 'p/in.txt.out', cache: true }],
            command: 'sh make.sh; touch in.txt.out',
          }),
        ),
      'ran, command, out p/in.txt.out',
    ],
    ['cache: false', () => s.declare('make', makeStage({ outs: [{ path: 'p/out', cache: false }] })), 'ran, out p/out'],
  ])('%s', async (_, change, wanted) => {
    await s.run('make');
    change();
    expect(await s.outcome('make')).toBe(wanted);
    expect(await s.outcome('make')).toBe('unchanged');
    expect(s.runs('make')).toBe(2);
  });

  test('fewer outs', async () => {
    s.declare('make', makeStage({ outs: ['p/out/a', 'p/out/d'] }));
    await s.run('make');
    s.declare('make', makeStage({ outs: ['p/out/a'] }));
    expect(await s.outcome('make')).toBe('ran, out p/out/d');
    expect([...(s.lock().stages.get('make')?.outs.keys() ?? [])]).toEqual(['p/out/a']);
  });

  test('an env value', async () => {
    await s.run('make', {}, { env: { ...s.context().env, SEED: '1' } });
    expect(await s.outcome('make', {}, { env: { ...s.context().env, SEED: '2' } })).toBe('ran, env SEED');
    // Nobody can read the value in the lock.
    expect(fs.readFileSync(s.at('p/sluice-lock.json'), 'utf8')).not.toMatch(/"2"/);
  });

  test('force', async () => {
    await s.run('make');
    expect(await s.outcome('make', { force: true })).toBe('ran, forced');
  });

  test.each<[string, () => void]>([
    ['what is no dep', () => s.write('p/readme.txt', 'new')],
    ['a param that does not count', () => s.write('p/params.yaml', '# comment\nother: 2\nlr: 0.10\n')],
    ['the time of a dep', () => fs.utimesSync(s.at('p/in.txt'), 5, 5)],
    ['the order of deps', () => s.declare('make', makeStage({ deps: ['p/make.sh', 'p/in.txt'] }))],
    [
      'what decides where bytes go',
      () => s.declare('make', makeStage({ outs: [{ path: 'p/out', push: false, metrics: true }] })),
    ],
    ['a new index', () => s.remove('.sluice/index')],
  ])('not for %s', async (_, change) => {
    await s.run('make');
    change();
    expect(await s.outcome('make')).toBe('unchanged');
    expect(s.runs('make')).toBe(1);
  });
});

describe('restores what is known', () => {
  test('outs that are gone', async () => {
    await s.run('make');
    s.remove('p/out');
    expect(await s.run('make', { materialize: false })).toMatchObject({
      outcome: 'unchanged',
      referenceOnly: ['p/out'],
    });
    expect(fs.existsSync(s.at('p/out'))).toBe(false);
    expect(await s.run('make')).toMatchObject({ outcome: 'restored', files: 2, bytes: 5, source: 'store' });
    expect(readTree(s.at('p/out'))).toEqual(diskTree({ a: 'in\n', 'd/b': 'b\n' }));
    expect(s.runs('make')).toBe(1);
  });

  test('an earlier result', async () => {
    await s.run('make');
    s.write('p/in.txt', 'second\n');
    await s.run('make');
    s.write('p/in.txt', 'in\n');
    expect(await s.outcome('make')).toBe('restored, dep p/in.txt');
    expect(s.read('p/out/a')).toBe('in\n');
    expect(await s.outcome('make')).toBe('unchanged');
    expect(s.runs('make')).toBe(2);
  });

  test('in another workspace, without a lock', async () => {
    await s.run('make');
    const other = s.clone(true);
    other.remove('p/sluice-lock.json');
    expect(await other.run('make', { materialize: false })).toMatchObject({
      outcome: 'restored',
      referenceOnly: ['p/out'],
    });
    expect(other.lock()).toEqual(s.lock());
    expect(await other.run('make')).toMatchObject({ outcome: 'restored', files: 2 });
    expect(s.runs('make')).toBe(1);
  });

  test('but not what is not whole any more', async () => {
    await s.run('make');
    s.remove('p/out');
    s.remove('.sluice/objects');
    s.remove('.sluice/packs');
    expect(await s.outcome('make')).toMatch(/^ran, lost /);
    s.remove('p/sluice-lock.json');
    s.remove('p/out');
    s.remove('.sluice/objects');
    expect(await s.outcome('make')).toBe('ran, new');
    expect(s.runs('make')).toBe(3);
  });

  test.each(['tree', 'blob'])('a damaged %s makes it run again, and is healed by that', async (kind) => {
    await s.run('make');
    s.remove('p/out');
    s.remove('p/sluice-lock.json');
    for (const [path] of readTree(s.at('.sluice/objects'))) {
      if (!path.includes('/') || path.endsWith('.tree') !== (kind === 'tree')) continue;
      fs.chmodSync(s.at('.sluice/objects', path), 0o644);
      fs.appendFileSync(s.at('.sluice/objects', path), '#');
    }
    expect(await s.outcome('make')).toMatch(/^ran, (new|lost)/);
    s.remove('p/out');
    expect(await s.outcome('make')).toBe('restored');
    expect(readTree(s.at('p/out'))).toEqual(diskTree({ a: 'in\n', 'd/b': 'b\n' }));
  });
});

describe('declared otherwise', () => {
  test('persist: the command finds its old outs, and no record is written', async () => {
    s.declare(
      'make',
      makeStage({ command: 'mkdir -p out; cat in.txt >> out/log', outs: [{ path: 'p/out', persist: true }] }),
    );
    await s.run('make');
    s.write('p/in.txt', 'more\n');
    await s.run('make');
    expect(s.read('p/out/log')).toBe('in\nmore\n');
    s.write('p/in.txt', 'in\n');
    expect((await s.decide('make')).kind).toBe('changed');
  });

  test('always: runs every time', async () => {
    s.declare('make', makeStage({ always: true }));
    expect(await s.outcome('make')).toBe('ran, always');
    expect(await s.outcome('make')).toBe('ran, always');
    s.declare('make', makeStage());
    s.remove('p/sluice-lock.json');
    expect((await s.decide('make')).kind).toBe('new');
  });

  test('frozen: its deps are not looked at', async () => {
    s.declare('make', makeStage({ frozen: true }));
    await s.run('make');
    s.write('p/in.txt', 'new\n');
    s.remove('p/params.yaml');
    expect(await s.outcome('make')).toBe('unchanged');
    s.remove('p/out');
    expect(await s.outcome('make')).toBe('restored');
    s.declare('make', makeStage());
    await expect(s.run('make')).rejects.toMatchObject({ code: 'ERR_PARAM' });
  });

  test('cache: false: kept in git, and comes back with the record all the same', async () => {
    s.declare(
      'make',
      makeStage({ command: 'sh make.sh; echo 1 > m.json', outs: ['p/out', { path: 'p/m.json', cache: false }] }),
    );
    await s.run('make');
    expect(s.read('p/.gitignore')).not.toContain('m.json');
    s.write('p/in.txt', 'second\n');
    await s.run('make');
    s.write('p/in.txt', 'in\n');
    s.remove('p/m.json');
    expect(await s.outcome('make')).toBe('restored, dep p/in.txt');
    expect(s.read('p/m.json')).toBe('1\n');
  });

  test('cache: false and large: stored nowhere, so there is no record, and a run tells nothing', async () => {
    const command = 'sh make.sh; head -c 2000000 /dev/zero > m.bin';
    s.declare('make', makeStage({ command, outs: ['p/out', { path: 'p/m.bin', cache: false }] }));
    await s.run('make');
    expect(await s.outcome('make')).toBe('unchanged');
    s.write('p/in.txt', 'second\n');
    await s.run('make');
    expect(s.events.filter(({ type }) => type === 'warning')).toEqual([]);
    s.write('p/in.txt', 'in\n');
    expect((await s.decide('make')).kind).toBe('changed');
  });

  test('materialize: eager and lazy count more than what is asked for', async () => {
    for (const [materialize, asked, there] of [
      ['eager', false, true],
      ['lazy', true, false],
    ] as const) {
      s.declare('make', makeStage({ materialize }));
      await s.run('make');
      s.remove('p/out');
      await s.run('make', { materialize: asked });
      expect(fs.existsSync(s.at('p/out'))).toBe(there);
    }
  });
});
