import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../scripts/run-tool.mjs';
import { story } from './harness/story.js';

// `npm run test:crash` is the long version.
story('killed at random moments, nothing is lost and everything goes on', async () => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const args = [join(ROOT, 'scripts/crash.mjs'), '--kills', '15', '--seed', '1'];
  expect(execFileSync(process.execPath, args, { env, encoding: 'utf8' })).toMatch(/15 kills .* nothing lost/);
});
