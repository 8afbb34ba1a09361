import type { DiffOut } from '../operations/diff.js';
import type { SideName } from '../operations/diff-sides.js';
import { visible } from '../text/index.js';

/** The name of a side for people. */
export function sideText(side: SideName): string {
  return side.kind === 'revision' ? visible(side.rev) : side.kind;
}

/** The path of a file of an out, from the workspace root. */
export function placeOf({ path: out }: DiffOut, path: string): string {
  return path === '' ? out : `${out}/${path}`;
}
