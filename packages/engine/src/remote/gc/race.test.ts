import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../../scripts/race-remote.mjs', import.meta.url));

test('pushers and collections in several processes break no map (the long version: npm run test:race)', async () => {
  const args = ['--seconds', '8', '--pushers', '2', '--no-kill'];
  const race = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [race.stdout, race.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [status] = await once(race, 'close');
  expect(output).toMatch(
    /^race on a remote: [1-9]\d* pushes \(\d+ given up\), [1-9]\d* collections .* 0 failures, \d locks whole, 2 after they were pushed again, 0 broken\n$/,
  );
  expect(status).toBe(0);
}, 120_000);
