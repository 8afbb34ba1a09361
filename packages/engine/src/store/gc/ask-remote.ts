import type { OutRoot } from '../../model/root.js';
import type { GcRoots } from './roots.js';

/** Questions under way at the same time; each is one request. */
const LANES = 16;

/** Asks about each root once in a collection, however often it comes up. */
export type AskRemote = (roots: readonly OutRoot[]) => Promise<ReadonlyMap<string, boolean | 'unknown'>>;

/** Remembers the answers of `isOnRemote` by digest. */
export function askOnce(isOnRemote: GcRoots['isOnRemote']): AskRemote {
  const answers = new Map<string, boolean | 'unknown'>();
  return async (roots) => {
    const open = roots.filter((root) => !answers.has(root.digest));
    const ask = async (): Promise<void> => {
      for (let root = open.pop(); root !== undefined; root = open.pop()) {
        answers.set(root.digest, await isOnRemote(root));
      }
    };
    await Promise.all(Array.from({ length: LANES }, ask));
    return answers;
  };
}
