import { isAbsolute, join } from 'node:path';
import { isGitWorkspace } from '../history/git.js';
import { type GitOptions, git, runGit } from '../history/run-git.js';

/** Name of the merge driver in git's configuration and in `.gitattributes`. */
const DRIVER = 'sluice-lock';

/** The line of `.gitattributes` that gives locks to the driver. */
export const ATTRIBUTES_LINE: string = `sluice-lock.json merge=${DRIVER}`;

/** A key of git's configuration and the value that it should have. */
export interface GitSetting {
  readonly key: string;
  readonly value: string;
}

/** The settings of the merge driver that are missing or other in this clone; none outside of a repository. Git takes them from no file of the repository, since they are commands. */
export async function missingDriverSettings(root: string, options: GitOptions = {}): Promise<GitSetting[]> {
  if (!(await isGitWorkspace(root, options))) return [];
  const missing: GitSetting[] = [];
  for (const setting of driverSettings(await workspacePrefix(root, options))) {
    const { status, stdout } = await runGit(root, ['config', '--local', '--get', setting.key], options);
    if (status !== 0 || stdout.toString('utf8').replace(/\n$/, '') !== setting.value) missing.push(setting);
  }
  return missing;
}

/** Writes settings into the configuration of this clone. Throws `ERR_REVISION` if git refuses. */
export async function writeGitSettings(
  root: string,
  settings: readonly GitSetting[],
  options: GitOptions = {},
): Promise<void> {
  for (const { key, value } of settings) await git(root, ['config', '--local', key, value], options);
}

/** Tells git in this clone how locks are merged; returns whether anything had to be written. Nothing is done outside of a repository. */
export async function installMergeDriver(root: string, options: GitOptions = {}): Promise<boolean> {
  const missing = await missingDriverSettings(root, options);
  await writeGitSettings(root, missing, options);
  return missing.length > 0;
}

/** Where the workspace lies in the work tree: `''` for its top, else `sub/dir/`. */
export async function workspacePrefix(root: string, options: GitOptions = {}): Promise<string> {
  return (await git(root, ['rev-parse', '--show-prefix'], options)).toString('utf8').replace(/\n$/, '');
}

/** The directory that git takes hooks from, absolute, and whether it belongs to this repository alone. */
export async function hooksDirectory(
  root: string,
  options: GitOptions = {},
): Promise<{ readonly dir: string; readonly own: boolean }> {
  const ask = async (...args: string[]): Promise<string> => {
    const said = (await git(root, ['rev-parse', ...args], options)).toString('utf8').replace(/\n$/, '');
    return isAbsolute(said) ? said : join(root, said);
  };
  const dir = await ask('--git-path', 'hooks');
  const places = [await ask('--git-common-dir'), await ask('--show-toplevel')];
  return { dir, own: places.some((place) => dir === place || dir.startsWith(`${place}/`)) };
}

/** A word for a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Where the `sluice` of a workspace is, from the top of the work tree. */
export function localCommand(prefix: string): string {
  return `${prefix}node_modules/.bin/sluice`;
}

function driverSettings(prefix: string): GitSetting[] {
  // Git runs this at the top of the work tree, and replaces what begins with a percent sign.
  const word = (text: string): string => shellWord(text).replaceAll('%', '%%');
  const command = word(localCommand(prefix));
  const files = '"$PWD"/%O "$PWD"/%A "$PWD"/%B "$PWD"/%P';
  const call = `--cwd ${word(prefix === '' ? '.' : prefix)} merge-driver ${files}`;
  const run = `if test -x ${command}; then ${command} ${call}; elif command -v sluice >/dev/null 2>&1; then sluice ${call}; else (exit 127); fi`;
  // Above 1 nothing was merged, be it that packages are not installed or that the store cannot be written: then lines are, as git does it itself.
  const driver = `${run}; s=$?; test $s -gt 1 || exit $s; git merge-file -L ours -L base -L theirs %A %O %B`;
  return [
    { key: `merge.${DRIVER}.name`, value: 'Sluice: merges locks by their trees' },
    { key: `merge.${DRIVER}.driver`, value: driver },
    // What histories that crossed come from is not looked at by a person: a side is taken, and no conflict is left in it.
    { key: `merge.${DRIVER}.recursive`, value: 'binary' },
  ];
}
