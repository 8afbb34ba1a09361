import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { isGitWorkspace } from '../history/git.js';
import type { GitOptions } from '../history/run-git.js';
import { hooksDirectory, localCommand, shellWord, workspacePrefix } from './git-setup.js';
import type { HooksReport } from './reports.js';

/** The hooks of git that Sluice has something to do in. */
export const HOOKS = ['post-checkout', 'post-merge', 'pre-push'] as const;

/** One of {@link HOOKS}. */
export type HookName = (typeof HOOKS)[number];

/** Tells our hooks from those of others. */
const MARK = '# Written by `sluice init --hooks`, which also renews it.';

/**
 * Writes the hooks of git that make data follow branches. A hook that somebody else wrote is never changed: the report has the line that it needs. Nothing is written where git takes
 * hooks from a directory that other repositories share. Throws `ERR_REVISION` outside of a repository.
 */
export async function installHooks(root: string, options: GitOptions = {}): Promise<HooksReport> {
  if (!(await isGitWorkspace(root, options))) {
    throw new SluiceError('ERR_REVISION', `${root} is not in a git repository, so there are no hooks`, {
      hint: 'Run `git init` first.',
    });
  }
  const prefix = await workspacePrefix(root, options);
  const { dir, own } = await hooksDirectory(root, options);
  const report = {
    written: [] as string[],
    unchanged: [] as string[],
    foreign: [] as { hook: string; path: string; line: string }[],
  };
  for (const hook of HOOKS) {
    const path = join(placeOf(dir), hook);
    const text = hookText(hook, prefix);
    const before = readHook(path);
    if (before === text) report.unchanged.push(hook);
    else if (own && (before === undefined || before.includes(MARK))) {
      writeHook(path, text);
      report.written.push(hook);
    } else if (before?.includes(callOf(hook, prefix)) === true) report.unchanged.push(hook);
    else report.foreign.push({ hook, path: relative(root, path), line: callOf(hook, prefix) });
  }
  return report;
}

/** Husky writes the hooks that git calls, and has those call the ones of users a directory above. */
function placeOf(dir: string): string {
  return basename(dir) === '_' && basename(dirname(dir)) === '.husky' ? dirname(dir) : dir;
}

function hookText(hook: HookName, prefix: string): string {
  const missing =
    hook === 'pre-push' ? `echo "sluice is not installed, so nobody looked whether data is pushed" >&2` : ':';
  return `#!/bin/sh
${MARK}
# What git sets for a hook is about one directory; sluice asks git about others.
unset $(git rev-parse --local-env-vars)
if test -x ${shellWord(localCommand(prefix))}; then
  ${callOf(hook, prefix)} || exit $?
else
  ${missing}
fi
`;
}

/** What a hook has to call, from the top of the work tree. */
function callOf(hook: HookName, prefix: string): string {
  const where = prefix === '' ? '' : ` --cwd ${shellWord(prefix)}`;
  return `${shellWord(localCommand(prefix))}${where} hook ${hook} "$@"`;
}

/** The text of a hook; `''` for one that is no plain text file, which is somebody else's. */
function readHook(path: string): string | undefined {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function writeHook(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.tmp`;
  writeFileSync(fresh, text);
  chmodSync(fresh, 0o755);
  renameSync(fresh, path);
}
