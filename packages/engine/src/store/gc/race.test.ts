import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../../scripts/race.mjs', import.meta.url));

test('writers and collections in several processes break no reference (the long version: npm run test:race)', async () => {
  const race = spawn(process.execPath, [SCRIPT, '--seconds', '3'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [race.stdout, race.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [status] = await once(race, 'close');
  expect(output).toMatch(/^race: [1-9]\d* commits, [1-9]\d* collections, .* 0 failures, 0 broken references\n$/);
  expect(status).toBe(0);
}, 120_000);
