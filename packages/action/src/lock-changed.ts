import { spawnSync } from 'node:child_process';

/** Whether a lock file of a workspace is not as git has it. `false` where git cannot tell. */
export function lockChanged(root: string): boolean {
  const args = ['status', '--porcelain=v1', '--untracked-files=all', '--', ':(glob)**/sluice-lock.json'];
  const { status, stdout } = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return status === 0 && stdout.trim() !== '';
}
