import { SluiceError } from '../errors.js';
import { rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import type { ObjectReader } from '../store/reader.js';
import type { HaveRecord } from './have-file.js';
import type { HaveIndex } from './have-index.js';
import { learnMap } from './learn-map.js';
import type { Remote } from './remote.js';
import { type Appetite, OpenMaps, type RemoteMap } from './remote-map.js';
import { RemoteNodes } from './remote-nodes.js';

/** What is learnt, and from where. */
export interface Learner {
  readonly remote: Remote;
  readonly have: HaveIndex;
  /** Reads tree nodes of the store: those are not fetched. */
  readonly reader: ObjectReader;
  readonly signal: AbortSignal | undefined;
}

/** A request costs as much time as so many bytes. */
const REQUEST_BYTES = 16 * 1024;

/**
 * Another clone may have pushed the version before: the map of each root's latest earlier version that is there tells what they share. Returns what the
 * have-index did not know.
 */
export async function learnFromPrevious(
  learner: Learner,
  jobs: readonly { readonly root: OutRoot; readonly previous?: readonly OutRoot[] | undefined }[],
): Promise<HaveRecord[]> {
  const learnt: HaveRecord[] = [];
  const maps = new OpenMaps(learner.remote, appetiteOf(learner, 'all'), learner.signal);
  for (const { root, previous = [] } of jobs) {
    for (const before of previous) {
      if (before.digest === root.digest) continue;
      if (learner.have.knowsMap(rawOf(before.digest))) break;
      const lessons = await learnOne(learner, maps, before, () => true);
      if (lessons === undefined) continue;
      learnt.push(...lessons);
      break;
    }
  }
  return learnt;
}

/**
 * Learns from the maps of other roots, as long as that costs less than what is to be sent without it: `estimate` says how many bytes that are. Returns
 * what the have-index did not know.
 */
export async function learnFromKnown(
  learner: Learner,
  jobs: readonly { readonly root: OutRoot }[],
  known: readonly OutRoot[],
  estimate: () => Promise<number>,
): Promise<HaveRecord[]> {
  const pushed = new Set(jobs.map(({ root }) => root.digest));
  const open = new Map(
    known
      .filter(({ digest }) => !pushed.has(digest) && !learner.have.knowsMap(rawOf(digest)))
      .map((root) => [root.digest, root]),
  );
  if (open.size === 0) return [];
  const maps = new OpenMaps(learner.remote, appetiteOf(learner, 'some'), learner.signal);
  const learnt: HaveRecord[] = [];
  let budget = await estimate();
  for (const root of open.values()) {
    budget -= REQUEST_BYTES;
    if (budget < 0) break;
    const isWorthIt = (map: RemoteMap): boolean => {
      const cost = costOf(map, learner.reader);
      if (cost > budget) return false;
      budget -= cost;
      return true;
    };
    learnt.push(...((await learnOne(learner, maps, root, isWorthIt)) ?? []));
  }
  return learnt;
}

/** A map that lies, or whose packs are gone, teaches nothing: then more is sent than necessary, and that is all. */
async function learnOne(
  { remote, have, reader, signal }: Learner,
  maps: OpenMaps,
  root: OutRoot,
  isWorthIt: (map: RemoteMap) => boolean,
): Promise<HaveRecord[] | undefined> {
  try {
    const map = await maps.inFirst(remote.areas.proof, root.digest);
    if (map === undefined || !isWorthIt(map)) return undefined;
    const nodes = new RemoteNodes(remote.storage, signal);
    const records = await learnMap({ maps, nodes, reader, have }, map, root);
    for (const record of records) have.add(record, remote.areas.proof);
    return records;
  } catch (error) {
    if (error instanceof SluiceError && error.exitCode === 4) return undefined;
    throw error;
  }
}

/** What is learnt goes into maps that are signed, so it is learnt from nothing else. */
function appetiteOf({ remote }: Learner, usual: Appetite): Appetite {
  return remote.signatures.needed.maps ? 'proof' : usual;
}

/** Bytes that learning all of a root would read: the rest of its map, and its nodes if they are not in the store. */
function costOf(map: RemoteMap, reader: ObjectReader): number {
  const { header, nodes } = map.front;
  let cost = header.totalBytes - header.frontBytes;
  if (header.rootKind === 'blob' || reader.catalog.has('tree', header.root)) return cost;
  for (let i = 0; i < nodes.count; i++) cost += nodes.row(i).stored;
  return cost;
}
