import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { packageManagerOf } from './package-manager.js';

test.each([
  [{}, 'npm'],
  [{ 'yarn.lock': '' }, 'yarn'],
  [{ 'pnpm-lock.yaml': '' }, 'pnpm'],
  [{ 'bun.lock': '', 'package-lock.json': '{}' }, 'bun'],
  [{ 'package.json': '{"packageManager": "pnpm@9.0.0+sha512.abc"}', 'yarn.lock': '' }, 'pnpm'],
  [{ 'package.json': '{"packageManager": "vlt@1.0.0"}' }, 'npm'],
])('%j is installed by %s', (files, manager) => {
  const tree = createTreeWithEmptyWorkspace();
  for (const [path, content] of Object.entries(files)) tree.write(path, content);
  expect(packageManagerOf(tree)).toBe(manager);
});
