import { type TestStages, useStages } from '../testing/stage-context.js';

const stages = useStages();
let s: TestStages;
beforeEach(() => {
  s = stages();
  s.write('p/in.txt', 'x\n');
  s.declare('choose', {
    command: '$COUNT choose; printf "lr: 0.1\\nseed: $(cat in.txt)\\n" > params.yaml',
    deps: ['p/in.txt'],
    outs: ['p/params.yaml'],
  });
  s.declare('train', {
    command: '$COUNT train; cat params.yaml > model',
    params: ['p/params.yaml:lr'],
    outs: ['p/model'],
  });
});

describe('a param file that another stage makes', () => {
  test('wakes its reader only by the value', async () => {
    await s.run('choose');
    expect(await s.outcome('train')).toBe('ran, new');
    s.write('p/in.txt', 'y\n');
    expect(await s.outcome('choose')).toBe('ran, dep p/in.txt');
    expect(await s.outcome('train')).toBe('unchanged');
    expect(s.runs('train')).toBe(1);
  });

  test('need not be in place', async () => {
    await s.run('choose');
    await s.run('train');
    s.remove('p/params.yaml');
    expect(await s.outcome('train', { materialize: false })).toBe('unchanged');
    expect((await s.clone(false).decide('train')).kind).toBe('unchanged');
    s.declare('train', {
      command: 'tail -1 params.yaml > model',
      params: ['p/params.yaml:lr', 'p/params.yaml:seed'],
      outs: ['p/model'],
    });
    expect(await s.outcome('train')).toBe('ran, command, param p/params.yaml:seed');
    expect(s.read('p/model')).toBe('seed: x\n');
  });

  test('may lie inside an out', async () => {
    s.declare('choose', { command: 'mkdir -p c && echo "a: [1, 2]" > c/p.yaml', outs: ['p/c'] });
    s.declare('train', { command: 'cat c/p.yaml > model', params: ['p/c/p.yaml:a[1]'], outs: ['p/model'] });
    await s.run('choose');
    s.remove('p/c');
    expect(await s.outcome('train')).toBe('ran, new');
    expect(s.read('p/model')).toBe('a: [1, 2]\n');
    s.declare('train', { command: 'true', params: ['p/c/none.yaml'], outs: ['p/model'] });
    s.remove('p/c');
    await expect(s.run('train')).rejects.toMatchObject({ code: 'ERR_PARAM' });
  });

  test('without a result names its producer', async () => {
    await expect(s.run('train')).rejects.toMatchObject({ code: 'ERR_UPSTREAM', details: { producer: 'p:choose' } });
    expect((await s.decide('train')).reasons).toMatchObject([{ kind: 'upstream', name: 'p/params.yaml' }]);
  });
});

describe('what cannot be found out', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a param file that is not there', { params: ['p/none.yaml:a', 'p/none.yaml:b'] }, 'ERR_PARAM'],
    ['a runtime command that fails', { runtime: ['exit 3'] }, 'ERR_RUNTIME'],
    ['a runtime command without its directory', { runtime: ['true'], cwd: 'p/none' }, 'ERR_RUNTIME'],
  ])('%s is a reason, and an error when the stage runs', async (_, more, code) => {
    s.declare('broken', { command: 'true', outs: ['p/broken'], ...more });
    s.declare('reader', { command: 'true', deps: ['p/broken'], outs: ['p/reader'] });
    expect(await s.decide('broken')).toMatchObject({ kind: 'new', reasons: [{ kind: 'error', after: code }] });
    expect((await s.decide('reader')).reasons).toMatchObject([{ kind: 'upstream' }]);
    s.events.length = 0;
    await expect(s.run('broken')).rejects.toMatchObject({ code });
    expect(s.events.filter(({ type }) => type === 'decision')).toEqual([]);
    await expect(s.run('broken', { force: true })).rejects.toMatchObject({ code });
  });
});

describe('a frozen stage', () => {
  const frozen = { command: '$COUNT f; cat in.txt > f', deps: ['p/in.txt'], outs: ['p/f'], frozen: true };
  beforeEach(async () => {
    s.declare('f', frozen);
    expect(await s.outcome('f')).toBe('ran, new');
  });

  test('never runs, whatever is asked', async () => {
    s.write('p/in.txt', 'other\n');
    expect(await s.outcome('f')).toBe('unchanged');
    expect(await s.outcome('f', { force: true })).toBe('unchanged');
    s.declare('f', { ...frozen, always: true });
    expect(await s.outcome('f')).toBe('unchanged');
    expect(s.runs('f')).toBe(1);
  });

  test.each<[string, () => void]>([
    ['was changed by hand', () => s.write('p/f', 'by hand\n')],
    ['is declared anew', () => s.declare('f', { ...frozen, outs: ['p/f', 'p/g'] })],
    [
      'is nowhere any more',
      () => {
        for (const path of ['p/f', '.sluice/objects', '.sluice/packs']) s.remove(path);
      },
    ],
  ])('whose out %s is for a person to decide about', async (_, change) => {
    change();
    await expect(s.run('f')).rejects.toMatchObject({ code: 'ERR_FROZEN' });
    expect(s.runs('f')).toBe(1);
  });
});
