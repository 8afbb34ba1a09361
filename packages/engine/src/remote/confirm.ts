import { digestFromRaw } from '../model/digest.js';
import type { HaveBlob, HaveIndex, HaveMap, HavePack } from './have-index.js';
import { blobKey, mapKey, packKey } from './keys.js';
import type { MapBuilder } from './map-builder.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';
import type { StorageKey } from './storage/port.js';

/** So many requests run at once at most, whatever the storage would take. */
const MOST_REQUESTS = 32;

/**
 * Asks the remote once for each pack, map and large blob that maps will rely on and that this push did not write. What is gone or too short is forgotten.
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
    for (const [thing, bytes] of relied)
      if (!confirmed.has(thing)) open.set(thing, Math.max(bytes, open.get(thing) ?? 0));
  }
  const answers = await inParallel([...open], MOST_REQUESTS, async ([thing, bytes]) => {
    const stat = await remote.storage.stat(keyOf(thing), { signal });
    const sound = stat !== undefined && stat.bytes >= bytes;
    if (sound) confirmed.add(thing);
    else have.forget(thing);
    return sound;
  });
  return answers.every((sound) => sound);
}

function keyOf(thing: HavePack | HaveMap | HaveBlob): StorageKey {
  if ('index' in thing) return packKey(thing.area, thing.name);
  if ('nodes' in thing) return mapKey(thing.area, digestFromRaw(thing.root));
  return blobKey(thing.area, digestFromRaw(thing.raw));
}
