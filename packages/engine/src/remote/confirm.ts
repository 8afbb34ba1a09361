import { type HaveBlob, type HaveIndex, type HaveMap, type HavePack, haveKey } from './have-index.js';
import type { MapBuilder } from './map-builder.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';

/** So many requests run at once at most, whatever the storage would take. */
const MOST_REQUESTS = 32;

/**
 * Asks the remote once for each pack, map and large blob that maps will rely on and that this push did not write. What is gone or too short, or about to be deleted by a collection, is
 * forgotten.
 * Returns whether everything is there. `confirmed` holds what was found before.
 */
export async function confirm(
  remote: Remote,
  builders: readonly MapBuilder[],
  have: HaveIndex,
  confirmed: Set<unknown>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const open = new Map<HavePack | HaveMap | HaveBlob, number>();
  for (const { relied } of builders) {
    for (const [thing, bytes] of relied) open.set(thing, Math.max(bytes, open.get(thing) ?? 0));
  }
  const answers = await inParallel([...open], MOST_REQUESTS, async ([thing, bytes]) => {
    const key = haveKey(thing);
    const isListed = await remote.lookout.isCondemned(thing.area, key, signal);
    if (!isListed && confirmed.has(thing)) return true;
    const stat = isListed ? undefined : await remote.storage.stat(key, { signal });
    const sound = stat !== undefined && stat.bytes >= bytes;
    if (sound) confirmed.add(thing);
    else have.forget(thing);
    return sound;
  });
  return answers.every((sound) => sound);
}
