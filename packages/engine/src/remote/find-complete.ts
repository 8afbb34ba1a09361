import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { MapHeader } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import type { Area } from './areas.js';
import { firstInAreas, type Remote } from './remote.js';
import { readMapHeader } from './remote-map.js';

/** Whether a root has to be pushed. `unsound`: the writer's own area has a map of it that does not keep its promise. */
export type Completeness =
  | { readonly kind: 'complete'; readonly header: MapHeader }
  | { readonly kind: 'absent' | 'unsound' };

/**
 * Whether a root is complete in the writer's own area or a more trusted one: one small request per area. `isSound`: do not believe a map
 * of which it says no. Throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED` or `ERR_FORMAT_VERSION`.
 */
export async function findComplete(
  remote: Remote,
  root: OutRoot,
  isSound: (area: Area, root: Digest) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<Completeness> {
  if ((await remote.contact(signal)) === 'empty') return { kind: 'absent' };
  let unsound = false;
  const header = await firstInAreas(remote.areas.proof, async (area) => {
    try {
      const found = await readMapHeader(remote, area, root.digest, signal);
      if (found === undefined) return undefined;
      const fits = found.rootKind === root.kind;
      if (fits && (await isSound(area, root.digest))) return found;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'ERR_MAP_INVALID') throw error;
    }
    if (area === remote.areas.own) unsound = true;
    return undefined;
  });
  if (header !== undefined) return { kind: 'complete', header };
  return { kind: unsound ? 'unsound' : 'absent' };
}
