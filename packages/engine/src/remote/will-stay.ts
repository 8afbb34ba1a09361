import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import type { ObjectReader } from '../store/reader.js';
import type { Area } from './areas.js';
import { Auditor } from './audit.js';
import { findComplete } from './find-complete.js';
import { holdsRoot } from './holds-root.js';
import { mapKey } from './keys.js';
import { firstInAreas, type Remote } from './remote.js';

/** Says of a map whether what it claims is to be believed. */
export type IsSound = (area: Area, root: Digest) => Promise<boolean>;

/**
 * Whether all of a root is on the remote, and no collection is about to delete it, so that nobody else has to keep it. Where maps have to be signed, only such that are count, and all
 * that they lead to is looked at, since a signature says what was true once. Nodes that `reader` has are not read from the remote. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED`
 * if that cannot be known, and `ERR_FORMAT_VERSION`.
 */
export async function willStayComplete(
  remote: Remote,
  root: OutRoot,
  reader: ObjectReader,
  signal?: AbortSignal,
): Promise<boolean> {
  if (remote.signatures.needed.maps) {
    const isSound = soundMaps(remote, new Auditor({ remote, reader, signal }), signal);
    return (await findComplete(remote, root, isSound, signal)).kind === 'complete';
  }
  if ((await remote.contact(signal)) === 'empty') return false;
  const found = await firstInAreas(remote.areas.proof, async (area) => {
    if (!(await holdsRoot(remote.storage, area, root.digest, signal))) return undefined;
    return (await remote.lookout.isCondemned(area, mapKey(area, root.digest), signal)) ? undefined : area;
  });
  return found !== undefined;
}

/** Believes no map that a collection is about to delete and, with an auditor, none that was not looked at. What is not signed although it has to be is told. */
export function soundMaps(remote: Remote, auditor: Auditor | undefined, signal: AbortSignal | undefined): IsSound {
  return async (area, root) => {
    if (await remote.lookout.isCondemned(area, mapKey(area, root), signal)) return false;
    if (auditor === undefined) return true;
    const problems = await auditor.problemsOf(area, root);
    for (const { error } of problems ?? []) if (error.code === 'ERR_SIGNATURE') remote.refused(error);
    return problems?.length === 0;
  };
}
