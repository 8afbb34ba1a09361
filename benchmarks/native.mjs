// @ts-check
import { run, together } from './measure.mjs';

/** The commands that Sluice is compared with. Each is one or two processes; their start counts, as it does for Sluice. */

/** The fastest way to see every file: name, size and time. @param {string} path */
export function find(path) {
  return run('find', [path, '-printf', '%s %T@ %p\\n'], { discard: true });
}

/** What any program on Node has to pay first. */
export function startNode() {
  return run(process.execPath, ['-e', '0']);
}

/** @param {string} path */
export async function findAndNode(path) {
  return together(await find(path), await startNode());
}

/** @param {string} from @param {string} to */
export function copy(from, to) {
  return run('cp', ['-r', from, to]);
}

/** @param {string} from @param {string} to */
export async function copyDurably(from, to) {
  return together(await copy(from, to), await run('sync', ['-f', to]));
}

/** Hard links. @param {string} from @param {string} to */
export async function linkAndNode(from, to) {
  return together(await run('cp', ['-al', from, to]), await startNode());
}
