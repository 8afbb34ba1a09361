import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Call } from '../command.js';

/** A path, which the shell completed in the current directory, from the workspace root; one on another drive stays as it is. */
export function workspacePath(text: string, root: string, { cwd }: Call): string {
  const path = relative(root, resolve(cwd, text));
  return isAbsolute(path) ? text : path.split(sep).join('/');
}
