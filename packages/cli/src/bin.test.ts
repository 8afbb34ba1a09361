import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../bundle/bin.js', import.meta.url));
const MANIFEST = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Starts what a user starts; `npm test` builds it before. */
function sluice(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', env: { PATH: process.env.PATH } });
}

test('the built command tells its version, which is that of the package', () => {
  expect(sluice('--version')).toMatchObject({ status: 0, stdout: `${MANIFEST.version}\n`, stderr: '' });
});

test('the built command helps', () => {
  expect(sluice('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: sluice /), stderr: '' });
});

test('the built command ends with the exit code of the failure', () => {
  expect(sluice('stats')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('Did you mean status?'),
  });
  expect(sluice('status', '--cwd', '/', '--json')).toMatchObject({ status: 2, stderr: '' });
});

test('the build begins as a program, and is what the manifest names', () => {
  expect(readFileSync(BIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(MANIFEST.bin).toEqual({ sluice: 'bundle/bin.js' });
});
