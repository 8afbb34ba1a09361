import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from './harness/environment.js';
import { start } from './harness/process.js';
import { story } from './harness/story.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const HOME = mkdtempSync(join(tmpdir(), 'sluice-home-'));
const LOCK = join(ROOT, 'examples/seattle/sluice-lock.json');

afterAll(() => rmSync(HOME, { recursive: true, force: true }));

story('this repository makes its own example, and it comes out as its lock says', async () => {
  const locked = readFileSync(LOCK, 'utf8');
  const surroundings = { cwd: ROOT, env: environment(HOME) };
  const nx = join(ROOT, 'node_modules/.bin/nx');
  const run = (...more: string[]) => start(nx, ['run', 'seattle:months', ...more], surroundings).ended;
  expect(await run('--skip-nx-cache')).toMatchObject({ code: 0, output: expect.stringContaining('ran') });
  expect(await run()).toMatchObject({ code: 0, output: expect.stringContaining('unchanged') });
  expect(readFileSync(LOCK, 'utf8')).toBe(locked);
});
