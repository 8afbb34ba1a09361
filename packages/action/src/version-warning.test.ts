import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { versionWarning } from './version-warning.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function install(manifest: string): void {
  mkdirSync(join(root, 'node_modules/@sluice/nx'), { recursive: true });
  writeFileSync(join(root, 'node_modules/@sluice/nx/package.json'), manifest);
}

test('executors of another version are told, those of the same are not', () => {
  install('{ "version": "0.2.0" }');
  expect(versionWarning(root, '0.2.0')).toBeUndefined();
  expect(versionWarning(root, '0.1.0')).toBe(
    `${root} has @sluice/nx 0.2.0 installed, and the action is 0.1.0: what the newer one writes, the older one may refuse (ERR_FORMAT_VERSION). Use the action of the version that is installed.`,
  );
});

test('where nothing is known nothing is told', () => {
  expect(versionWarning(root, '0.1.0')).toBeUndefined();
  install('{ "version": 3 }');
  expect(versionWarning(root, '0.1.0')).toBeUndefined();
  install('{');
  expect(versionWarning(root, '0.1.0')).toBeUndefined();
});
