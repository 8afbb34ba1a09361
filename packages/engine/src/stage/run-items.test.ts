import fs from 'node:fs';
import { readTree } from '../testing/disk-tree.js';
import { type TestStages, useStages } from '../testing/stage-context.js';

const stages = useStages();
let s: TestStages;
const upper = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  command: '$COUNT upper; tr a-z A-Z < "$SLUICE_ITEM" > "$SLUICE_OUT/$SLUICE_ITEM_NAME.up"',
  foreach: '{projectRoot}/raw/*.txt',
  outs: ['p/up'],
  ...more,
});
beforeEach(() => {
  s = stages();
  for (const name of ['a', 'b', 'c', 'd e']) s.write(`p/raw/${name}.txt`, `${name}\n`);
  s.declare('upper', upper());
});

const made = (): string[] => fs.readdirSync(s.at('p/up')).sort();

test('the command runs once per item, and then only for what is new or changed', async () => {
  expect(await s.outcome('upper')).toBe('ran, new');
  expect(made()).toEqual(['a.up', 'b.up', 'c.up', 'd e.up']);
  expect(s.read('p/up/d e.up')).toBe('D E\n');
  expect(s.runs('upper')).toBe(4);
  expect(await s.outcome('upper')).toBe('unchanged');
  s.write('p/raw/b.txt', 'beta\n');
  s.write('p/raw/new.txt', 'new\n');
  s.remove('p/raw/c.txt');
  expect(await s.outcome('upper')).toBe('ran, dep p/raw/*.txt');
  expect(made()).toEqual(['a.up', 'b.up', 'd e.up', 'new.up']);
  expect(s.read('p/up/b.up')).toBe('BETA\n');
  expect(s.runs('upper')).toBe(6);
  expect(s.read('p/.gitignore')).toBe('/up\n/up.items.json\n');
});

test('the result is that of a run of everything', async () => {
  await s.run('upper');
  s.write('p/raw/a.txt', 'alpha\n');
  await s.run('upper');
  const outs = s.lock().stages.get('upper')?.outs;
  const other = s.clone(false);
  other.remove('p/sluice-lock.json');
  await other.run('upper');
  expect(other.runs('upper')).toBe(4);
  expect(other.lock().stages.get('upper')?.outs).toEqual(outs);
});

test('of 1,000 items only what changed runs', async () => {
  for (let i = 0; i < 1000; i++) s.write(`p/raw/${i}.txt`, `item ${i}\n`);
  const command = 'cp "$SLUICE_ITEM" "$SLUICE_OUT/" && echo x >> "$SLUICE_ROOT.runs/all"';
  s.declare('upper', upper({ command, itemsAtOnce: 8 }));
  await s.run('upper');
  const runs = (): number => fs.readFileSync(`${s.at()}.runs/all`, 'utf8').length / 2;
  expect(runs()).toBe(1004);
  for (const i of [7, 70, 700]) s.write(`p/raw/${i}.txt`, `changed ${i}\n`);
  s.remove('p/raw/500.txt');
  await s.run('upper');
  expect(runs()).toBe(1007);
  expect(readTree(s.at('p/up'))).toEqual(readTree(s.at('p/raw')));
}, 240_000);

test('what decides every item runs every item', async () => {
  s.write('p/lib.sh', '1');
  s.declare('upper', upper({ deps: ['p/lib.sh'] }));
  await s.run('upper');
  s.write('p/lib.sh', '2');
  await s.run('upper');
  expect(s.runs('upper')).toBe(8);
});

describe('what is taken over', () => {
  test('comes from the store where the last result is not in place', async () => {
    await s.run('upper');
    s.remove('p/up');
    s.remove('p/up.items.json');
    s.write('p/raw/a.txt', 'alpha\n');
    expect(await s.outcome('upper')).toBe('ran, dep p/raw/*.txt');
    expect(s.runs('upper')).toBe(5);
    expect(s.read('p/up/b.up')).toBe('B\n');
  });

  test('is what was committed, not what somebody wrote there', async () => {
    await s.run('upper');
    s.write('p/up/b.up', 'by hand');
    s.write('p/up.items.json', '{}');
    s.write('p/raw/a.txt', 'alpha\n');
    await s.run('upper');
    expect(s.runs('upper')).toBe(5);
    expect(s.read('p/up/b.up')).toBe('B\n');
  });

  test('is not read again', async () => {
    await s.run('upper');
    const { ino } = fs.statSync(s.at('p/up/b.up'));
    s.write('p/raw/a.txt', 'alpha\n');
    await s.run('upper');
    expect(fs.statSync(s.at('p/up/b.up'))).toMatchObject({ ino, nlink: 1 });
  });

  test('is nothing where store and remotes have lost it', async () => {
    await s.run('upper');
    for (const path of ['p/up', 'p/up.items.json', '.sluice/objects', '.sluice/packs']) s.remove(path);
    s.write('p/raw/a.txt', 'alpha\n');
    await s.run('upper');
    expect(s.runs('upper')).toBe(8);
    expect(made()).toHaveLength(4);
  });
});

describe('goes wrong', () => {
  test('one item fails: everything is as it was, and the next run goes on', async () => {
    await s.run('upper');
    const before = readTree(s.at('p/up'));
    s.declare('upper', upper({ command: 'grep -q good "$SLUICE_ITEM" && cp "$SLUICE_ITEM" "$SLUICE_OUT/"' }));
    await expect(s.run('upper')).rejects.toMatchObject({
      code: 'ERR_COMMAND_FAILED',
      message: expect.stringMatching(/the command for .*[.]txt ended with exit code 1/),
    });
    expect(readTree(s.at('p/up'))).toEqual(before);
    for (const name of ['a', 'b', 'c', 'd e']) s.write(`p/raw/${name}.txt`, `good ${name}\n`);
    expect(await s.outcome('upper')).toContain('ran');
    expect(s.read('p/up/a.txt')).toBe('good a\n');
  });

  test('two items make the same file', async () => {
    s.declare('upper', upper({ command: 'echo x > "$SLUICE_OUT/same"' }));
    await expect(s.run('upper')).rejects.toMatchObject({ code: 'ERR_ITEM_COLLISION' });
    expect(fs.existsSync(s.at('p/up'))).toBe(false);
  });

  test('an interruption ends all commands', async () => {
    const controller = new AbortController();
    s.declare('upper', upper({ command: 'echo begun; sleep 30' }));
    const run = s.run('upper', {}, { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    const startedMs = performance.now();
    await expect(run).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(fs.existsSync(s.at('p/up'))).toBe(false);
  });
});

test('files can be grouped', async () => {
  for (const path of ['x/1.txt', 'x/2.txt', 'y/1.txt']) s.write(`p/in/${path}`, `${path}\n`);
  const command =
    '$COUNT join; echo "$SLUICE_ITEM_FILES" | while read -r f; do cat "$f"; done > "$SLUICE_OUT/$SLUICE_ITEM"';
  const join = { command, foreach: 'p/in/**/*.txt', groupBy: '^([^/]+)/', outs: ['p/joined'] };
  s.declare('join', join);
  await s.run('join');
  expect([s.read('p/joined/x'), s.read('p/joined/y')]).toEqual(['x/1.txt\nx/2.txt\n', 'y/1.txt\n']);
  s.write('p/in/x/3.txt', 'x/3.txt\n');
  await s.run('join');
  expect(s.runs('join')).toBe(3);
  expect(s.read('p/joined/x')).toBe('x/1.txt\nx/2.txt\nx/3.txt\n');
  s.declare('join', { ...join, groupBy: '^(y)/' });
  await expect(s.run('join')).rejects.toMatchObject({ code: 'ERR_STAGE_DEFINITION' });
});

test('no item at all makes an empty directory', async () => {
  s.declare('upper', upper({ foreach: 'p/none/*.txt' }));
  expect(await s.outcome('upper')).toBe('ran, new');
  expect(made()).toEqual([]);
  expect(s.events).toContainEqual({
    type: 'note',
    message: 'p:upper: no file matches p/none/*.txt, so there are no items',
  });
  expect(await s.outcome('upper')).toBe('unchanged');
});

test('the items may be an out of another stage', async () => {
  s.declare('cut', { command: 'mkdir cut; for i in 1 2 3; do echo $i > cut/$i.txt; done', outs: ['p/cut'] });
  s.declare('upper', upper({ foreach: 'p/cut/*.txt' }));
  await s.run('cut');
  s.remove('p/cut');
  expect(await s.outcome('upper')).toBe('ran, new');
  expect(made()).toEqual(['1.up', '2.up', '3.up']);
});

test.each<[string, Record<string, unknown>, string]>([
  ['no pattern', upper({ foreach: 'p/raw' }), 'is no pattern'],
  ['two outs', upper({ outs: ['p/up', 'p/down'] }), 'one directory'],
  ['an out of git', upper({ outs: [{ path: 'p/up', cache: false }] }), 'one directory'],
  ['groupBy without a group', upper({ groupBy: 'a' }), 'has not one group'],
  ['groupBy that is none', upper({ groupBy: '(' }), 'no regular expression'],
  ['groupBy alone', { command: 'x', outs: ['p/up'], groupBy: '(a)' }, 'there is no "foreach"'],
  ['no command', { foreach: 'p/raw/*', outs: ['p/up'] }, 'no command'],
  ['too many at once', upper({ itemsAtOnce: 0 }), 'from 1 to 256'],
  ['its own list', upper({ foreach: 'p/*.json' }), 'p/up.items.json'],
])('%s is a problem of the definition', (_, options, message) => {
  s.declare('wrong', options);
  expect(() => s.stage('wrong')).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
});
