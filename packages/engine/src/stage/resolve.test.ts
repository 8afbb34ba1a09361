import fs from 'node:fs';
import { rawOf } from '../model/digest.js';
import { parseRelPath } from '../model/path.js';
import { type StageRecord, trackedKey } from '../model/record.js';
import { completeness } from '../store/complete.js';
import { readRecord } from '../store/records.js';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { emptyRemote, type TestStages, useStages } from '../testing/stage-context.js';
import type { RemoteSource } from './context.js';
import { holdStage } from './hold.js';

const stages = useStages();
let s: TestStages;
beforeEach(() => {
  s = stages();
  s.write('p/in.txt', 'b\na\n');
  s.declare('first', {
    command:
      '$COUNT first; mkdir -p one/sub/deep; sort in.txt > one/sorted; wc -l < in.txt > one/sub/count; echo x > one/sub/deep/x',
    deps: ['p/in.txt'],
    outs: ['p/one'],
  });
  s.declare('second', { command: '$COUNT second; cat one/sorted > two', deps: ['p/one'], outs: ['p/two'] });
});

/** Runs all that is given, in order. */
async function run(...targets: string[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const target of targets) outcomes.push(await s.outcome(target));
  return outcomes;
}

function data(): string[] {
  return ['p/one', 'p/two'].filter((path) => fs.existsSync(s.at(path)));
}

describe('a dep that another stage makes', () => {
  test('wakes its consumer when it is another', async () => {
    expect(await run('first', 'second')).toEqual(['ran, new', 'ran, new']);
    expect(await run('first', 'second')).toEqual(['unchanged', 'unchanged']);
    s.write('p/in.txt', 'c\nb\n');
    expect(await run('first', 'second')).toEqual(['ran, dep p/in.txt', 'ran, dep p/one']);
  });

  test('does not wake it when it comes out the same', async () => {
    await run('first', 'second');
    s.write('p/in.txt', 'a\nb\n');
    expect(await run('first', 'second')).toEqual(['ran, dep p/in.txt', 'unchanged']);
    expect([s.runs('first'), s.runs('second')]).toEqual([2, 1]);
  });

  test('counts by its own bytes where it is in place, whoever made them', async () => {
    await run('first', 'second');
    s.write('p/one/sorted', 'by hand\n');
    expect(await run('second')).toEqual(['ran, dep p/one']);
    expect(s.read('p/two')).toBe('by hand\n');
  });

  test('counts by the lock where it is absent, and nothing is brought for an answer', async () => {
    await run('first', 'second');
    s.remove('p/one');
    s.remove('p/two');
    expect(await s.outcome('second', { materialize: false })).toBe('unchanged');
    expect(data()).toEqual([]);
    const clone = s.clone(false);
    expect(await clone.run('second', { materialize: false })).toMatchObject({
      outcome: 'unchanged',
      referenceOnly: ['p/two'],
    });
    expect((await clone.decide('first')).kind).toBe('unchanged');
  });

  test('counts by the record of its present inputs where the lock is of others', async () => {
    await run('first', 'second');
    s.write('p/in.txt', 'c\nb\n');
    await run('first');
    s.write('p/in.txt', 'b\na\n');
    s.remove('p/one');
    // The first result again, by its record; so the consumer has nothing to do.
    expect(await s.outcome('second', { materialize: false })).toBe('unchanged');
    s.write('p/in.txt', 'c\nb\n');
    expect(await run('second')).toEqual(['ran, dep p/one']);
    expect(s.read('p/two')).toBe('b\nc\n');
    expect(s.runs('first')).toBe(2);
  });

  test('is brought when a run has to read it', async () => {
    await run('first', 'second');
    s.remove('p/one');
    s.declare('second', { command: 'cat one/sub/count > two', deps: ['p/one'], outs: ['p/two'] });
    expect(await run('second')).toEqual(['ran, command']);
    expect(s.read('p/two').trim()).toBe('2');
    expect(await run('first')).toEqual(['unchanged']);
  });

  test('without a result names its producer', async () => {
    await expect(s.run('second')).rejects.toMatchObject({ code: 'ERR_UPSTREAM', details: { producer: 'p:first' } });
    await run('first', 'second');
    s.write('p/in.txt', 'new\n');
    s.remove('p/one');
    expect(await s.decide('second')).toMatchObject({
      kind: 'changed',
      reasons: [{ kind: 'upstream', name: 'p/one', after: 'p:first' }],
    });
    await expect(s.run('second')).rejects.toMatchObject({ code: 'ERR_UPSTREAM' });
    expect(s.read('p/two')).toBe('a\nb\n');
  });

  test('that is a tracked dataset counts by its lock', async () => {
    s.write('p/raw/x', 'x');
    s.declare('raw', { outs: ['p/raw'] });
    s.declare('use', { command: 'cat raw/x > used', deps: ['p/raw'], outs: ['p/used'] });
    expect(await run('raw', 'use')).toEqual(['committed, out p/raw', 'ran, new']);
    s.remove('p/raw');
    expect(await s.outcome('use', { materialize: false })).toBe('unchanged');
    expect(fs.existsSync(s.at('p/raw'))).toBe(false);
  });
});

describe('a dep inside an out', () => {
  const inside = (dep: string): void =>
    s.declare('part', { command: `$COUNT part; ls -R one > part`, deps: [dep], outs: ['p/part'] });

  test.each(['p/one/sub', 'p/one/sub/count', 'p/one/sub/deep'])(
    '%s counts alone, and the same wherever it is looked at',
    async (dep) => {
      inside(dep);
      await run('first', 'part');
      const value = (): string | undefined =>
        s
          .lock()
          .stages.get('part')
          ?.parts.find(({ kind }) => kind === 'dep')?.value;
      const fresh = value();
      expect(fresh).toMatch(dep === 'p/one/sub/count' ? /^blob sha256:/ : /^tree sha256:/);
      expect(fresh).not.toContain('0000000000000000');
      // Known to the index, in the tree of the store, and read anew.
      for (const change of [() => undefined, () => s.remove('p/one'), () => s.remove('.sluice/index')]) {
        change();
        s.remove('p/sluice-lock.json');
        await s.run('first');
        await s.run('part');
        expect(value()).toBe(fresh);
      }
      expect(s.runs('part')).toBe(1);
    },
  );

  test('does not wake for what lies beside it', async () => {
    inside('p/one/sub/count');
    await run('first', 'part');
    s.write('p/in.txt', 'd\nc\n');
    expect(await run('first', 'part')).toEqual(['ran, dep p/in.txt', 'unchanged']);
    s.write('p/in.txt', 'd\n');
    expect(await run('first', 'part')).toEqual(['ran, dep p/in.txt', 'ran, dep p/one/sub/count']);
  });

  test('brings only what is named, and the out is known to be a part', async () => {
    inside('p/one/sub/count');
    await run('first', 'part');
    s.remove('p/one');
    expect(await s.outcome('part', { force: true })).toBe('ran, forced');
    expect(readTree(s.at('p/one'))).toEqual(diskTree({ 'sub/count': s.read('p/one/sub/count') }));
    expect(await s.run('first', { materialize: false })).toMatchObject({
      outcome: 'unchanged',
      referenceOnly: ['p/one'],
    });
    expect(await run('part')).toEqual(['unchanged']);
    // Whoever reads more gets more.
    s.declare('second', { command: 'cat one/sorted > two', deps: ['p/one/sorted'], outs: ['p/two'] });
    expect(await run('second')).toEqual(['ran, new']);
    expect([...readTree(s.at('p/one')).keys()]).toEqual(['sorted', 'sub', 'sub/count']);
    expect(await run('first')).toEqual(['restored']);
    expect(await run('first', 'second', 'part')).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  test('that is not there names the dep, not the producer', async () => {
    inside('p/one/nothing');
    await run('first');
    await expect(s.run('part')).rejects.toMatchObject({ code: 'ERR_DEP_MISSING', details: { dep: 'p/one/nothing' } });
  });

  test('a part of a dataset that is brought is never taken for a new version', async () => {
    s.write('p/raw/x', 'x');
    s.write('p/raw/y', 'y');
    s.declare('raw', { outs: ['p/raw'] });
    s.declare('use', { command: 'cat raw/x > used', deps: ['p/raw/x'], outs: ['p/used'] });
    await run('raw');
    const before = s.lock().stages.get('raw');
    s.remove('p/raw');
    await run('use');
    expect(await s.outcome('raw', { materialize: false })).toBe('unchanged');
    s.remove('.sluice/moves');
    expect(await s.outcome('raw', { materialize: false })).toBe('unchanged');
    expect(s.lock().stages.get('raw')).toEqual(before);
  });
});

describe('a dep with outs inside', () => {
  test('counts its own files and the roots of the outs, in place or not', async () => {
    s.write('p/src/own.txt', 'own');
    s.declare('gen', { command: 'echo gen > src/gen.txt', outs: ['p/src/gen.txt'] });
    s.declare('all', { command: '$COUNT all; cat src/own.txt > all', deps: ['p/src'], outs: ['p/all'] });
    await run('gen', 'all');
    s.remove('p/src/gen.txt');
    expect(await run('all')).toEqual(['unchanged']);
    s.write('p/src/own.txt', 'new');
    expect(await run('all')).toEqual(['ran, dep p/src']);
    expect(fs.existsSync(s.at('p/src/gen.txt'))).toBe(true);
    s.declare('gen', { command: 'echo other > src/gen.txt', outs: ['p/src/gen.txt'] });
    await run('gen');
    expect(await run('all')).toEqual(['ran, dep p/src']);
  });
});

describe('patterns', () => {
  test('wake for matches that are new, changed or gone, and for nothing else', async () => {
    for (const name of ['a.csv', 'd/b.csv', 'd/c.txt', '.hidden.csv']) s.write(`p/data/${name}`, name);
    s.write('p/data/node_modules/x.csv', 'x');
    s.declare('glob', { command: 'ls data > g', deps: ['p/data/**/*.csv'], outs: ['p/g'] });
    expect(await run('glob')).toEqual(['ran, new']);
    s.write('p/data/d/c.txt', 'new');
    s.write('p/data/other', 'new');
    s.write('p/data/node_modules/y.csv', 'y');
    fs.mkdirSync(s.at('p/data/empty.csv'));
    expect(await run('glob')).toEqual(['unchanged']);
    for (const change of [
      () => s.write('p/data/d/b.csv', 'new'),
      () => s.write('p/data/e/f.csv', ''),
      () => s.remove('p/data/.hidden.csv'),
      () => fs.renameSync(s.at('p/data/a.csv'), s.at('p/data/z.csv')),
    ]) {
      change();
      expect(await run('glob', 'glob')).toEqual(['ran, dep p/data/**/*.csv', 'unchanged']);
    }
  });

  test('reach into outs, absent ones too, and bring only what matches', async () => {
    s.declare('glob', { command: '$COUNT glob; cat one/sub/count > g', deps: ['p/one/**/c*'], outs: ['p/g'] });
    await run('first', 'glob');
    s.remove('p/one');
    expect(await run('glob')).toEqual(['unchanged']);
    expect(fs.existsSync(s.at('p/one'))).toBe(false);
    expect(await s.outcome('glob', { force: true })).toBe('ran, forced');
    expect([...readTree(s.at('p/one')).keys()]).toEqual(['sub', 'sub/count']);
    expect(await run('glob')).toEqual(['unchanged']);
    s.write('p/in.txt', 'd\nc\n');
    await run('first');
    expect(await run('glob')).toEqual(['unchanged']);
  });
});

describe('two consumers that start together', () => {
  test('bring an absent dep once; the second finds it in place', async () => {
    s.declare('third', { command: 'sleep 0.3; cat one/sorted > three', deps: ['p/one'], outs: ['p/three'] });
    await run('first');
    s.remove('p/one');
    // Whoever has to wait looks again when it may go on, and does not replace what the other reads by now.
    const producer = await holdStage(s.context(), s.stage('first'), true);
    const runs = Promise.all([s.run('second'), s.run('third')]);
    await new Promise((done) => setTimeout(done, 300));
    producer.release();
    const watch = setInterval(() => inodes.add(inode()), 1);
    const inode = (): number => fs.statSync(s.at('p/one'), { throwIfNoEntry: false })?.ino ?? 0;
    const inodes = new Set<number>();
    await runs;
    clearInterval(watch);
    inodes.delete(0);
    expect(inodes.size).toBe(1);
    expect([s.read('p/two'), s.read('p/three')]).toEqual(['a\nb\n', 'a\nb\n']);
  });

  test('both end up in the lock of their project', async () => {
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) s.declare(name, { command: `echo ${name} > ${name}.out`, outs: [`p/${name}.out`] });
    await Promise.all(names.map((name) => s.run(name)));
    expect([...s.lock().stages.keys()]).toEqual(names);
    await Promise.all(names.map(async (name) => expect(await s.outcome(name)).toBe('unchanged')));
  });

  test('of one stage: the second waits, and then has nothing to do', async () => {
    const results = await Promise.all([s.outcome('first'), s.outcome('first')]);
    expect(results.sort()).toEqual(['ran, new', 'unchanged']);
    expect(s.runs('first')).toBe(1);
    expect(s.events).toContainEqual(expect.objectContaining({ type: 'waiting', stage: 'p:first' }));
    const held = await holdStage(s.context(), s.stage('first'), true);
    await expect(s.run('first', { wait: false })).rejects.toMatchObject({ code: 'ERR_HELD', exitCode: 5 });
    held.release();
  });
});

describe('a remote', () => {
  /** Has what another store has. */
  function remoteOf(other: TestStages, log: string[]): RemoteSource {
    const { store } = other.workspace;
    return {
      findRecord: async (fingerprint): Promise<StageRecord | undefined> => readRecord(store, fingerprint),
      has: async ({ root }) => completeness(store.reader, root) === 'complete',
      fetch: async (wants, what) => {
        log.push(what);
        fs.cpSync(other.at('.sluice/objects'), s.at('.sluice/objects'), {
          recursive: true,
          preserveTimestamps: true,
          filter: (path) => what === 'everything' || path.endsWith('.tree') || !path.includes('.', path.length - 5),
        });
        return { files: wants.length, bytes: 1, remote: 'r' };
      },
    };
  }

  test('gives records, and data when somebody reads it', async () => {
    const other = s.clone(false);
    await other.run('first');
    await other.run('second');
    const log: string[] = [];
    const remotes = remoteOf(other, log);
    expect((await s.decide('second', { remotes })).kind).toBe('restorable');
    expect(await s.run('first', { materialize: false }, { remotes })).toMatchObject({
      outcome: 'restored',
      referenceOnly: ['p/one'],
    });
    expect(log).toEqual([]);
    expect(await s.run('second', {}, { remotes })).toMatchObject({ outcome: 'restored', source: 'r' });
    expect(log).toEqual(['everything']);
    expect(data()).toEqual(['p/two']);
  });

  test('whose record names data that it has not is not believed', async () => {
    const other = s.clone(false);
    await other.run('first');
    const remotes = { ...remoteOf(other, []), has: async () => false };
    expect(await s.outcome('first', {}, { remotes })).toBe('ran, new');
  });

  test('that cannot give the deps of a run fails it, and names them', async () => {
    await run('first', 'second');
    s.remove('p/one');
    s.remove('.sluice/objects');
    s.remove('.sluice/packs');
    await expect(s.run('second', { force: true })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
    expect(s.read('p/two')).toBe('a\nb\n');
  });

  test('gives the nodes of a tree for a dep inside an out that is not here', async () => {
    const other = s.clone(false);
    await other.run('first');
    fs.copyFileSync(other.at('p/sluice-lock.json'), s.at('p/sluice-lock.json'));
    s.declare('part', { command: 'cat one/sub/count > part', deps: ['p/one/sub/count'], outs: ['p/part'] });
    const log: string[] = [];
    const remotes = remoteOf(other, log);
    expect((await s.decide('part', { remotes })).reasons).toMatchObject([{ kind: 'new' }]);
    expect(log).toEqual(['trees']);
    expect(await s.outcome('part', {}, { remotes })).toBe('ran, new');
    await expect(s.decide('part', { remotes: emptyRemote })).resolves.toMatchObject({ kind: 'unchanged' });
  });
});

test('a tracked dataset has a record named by its outs', async () => {
  s.write('p/raw', 'raw');
  s.declare('raw', { outs: ['p/raw'] });
  await run('raw');
  const outs = s.lock().stages.get('raw')?.outs ?? new Map();
  const record = readRecord(s.workspace.store, trackedKey(outs));
  expect(record).toMatchObject({ tracked: true, stage: { project: 'p', target: 'raw' } });
  expect(s.workspace.store.reader.catalog.has('blob', rawOf(outs.get(parseRelPath('p/raw'))?.digest))).toBe(true);
});
