import { spawn } from 'node:child_process';
import type { NxTree } from './tree.js';

const MANAGERS = ['npm', 'pnpm', 'yarn', 'bun'] as const;

/** A program that installs packages. */
export type PackageManager = (typeof MANAGERS)[number];

const LOCK_FILES: readonly (readonly [PackageManager, string])[] = [
  ['bun', 'bun.lock'],
  ['bun', 'bun.lockb'],
  ['yarn', 'yarn.lock'],
  ['pnpm', 'pnpm-lock.yaml'],
  ['npm', 'package-lock.json'],
];

/** The package manager of a workspace: the one that `packageManager` of package.json names, else that of the lock file, else npm. */
export function packageManagerOf(tree: NxTree): PackageManager {
  const named = /"packageManager"\s*:\s*"([a-z]+)@/.exec(tree.read('package.json', 'utf8') ?? '')?.[1];
  const known = MANAGERS.find((manager) => manager === named);
  return known ?? LOCK_FILES.find(([, file]) => tree.exists(file))?.[0] ?? 'npm';
}

/** Installs what package.json names, and shows what the package manager prints. Throws if it fails. */
export async function installPackages(manager: PackageManager, root: string): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(manager, ['install'], { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`\`${manager} install\` ended with ${code}; run it again in ${root}`);
}
