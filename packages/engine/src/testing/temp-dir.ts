import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

/** A directory of its own for each test of a file, removed after it. The result gives its path, or that of something below it. */
export function useTempDir(): (...below: string[]) => string {
  let dir = '';
  beforeEach(() => {
    // Real, so that paths compare where the temporary directory is a link.
    dir = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'sluice-test-')));
  });
  afterEach(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return (...below) => join(dir, ...below);
}
