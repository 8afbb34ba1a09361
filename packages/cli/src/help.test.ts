import { runMain } from './testing/run-main.js';

const COMMANDS = [
  '',
  'init',
  'status',
  'commit',
  'checkout',
  'export',
  'import',
  'import zip',
  'import tar',
  'import url',
  'fetch',
  'pull',
  'push',
  'ls',
  'cat',
  'log',
  'blame',
  'diff',
  'summary',
  'gc',
  'verify',
  'doctor',
  'explain',
  'remote',
  'remote add',
  'remote list',
  'remote remove',
  'remote default',
  'remote ping',
  'store',
  'store stat',
  'store path',
];

test.each(COMMANDS)('sluice %s --help', async (command) => {
  const { code, out, err } = await runMain([...command.split(' ').filter((word) => word !== ''), '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatchSnapshot();
});

test('the help of every command that is no group has an example', async () => {
  for (const command of COMMANDS.filter((name) => !['import', 'remote', 'store'].includes(name))) {
    const { out } = await runMain([...command.split(' ').filter((word) => word !== ''), '--help']);
    expect(out).toMatch(/Examples:\n {2}\$ /);
  }
});
