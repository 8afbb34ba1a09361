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

// `npm run test:crash -- --remote s3` is the long version.
story('killed while it pushes to a bucket or pulls from it, it sends nothing twice and nothing is lost', async () => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const args = [join(ROOT, 'scripts/crash.mjs'), '--remote', 's3', '--kills', '4', '--seed', '1', '--large-mib', '32'];
  expect(execFileSync(process.execPath, args, { env, encoding: 'utf8' })).toMatch(/4 kills .* nothing lost/);
});
