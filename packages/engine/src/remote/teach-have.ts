import { SluiceError } from '../errors.js';
import { rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { appendHave, readHave } from './have-file.js';
import { HaveIndex } from './have-index.js';
import { learnMap } from './learn-map.js';
import type { Remote } from './remote.js';
import { type OpenMaps, type RemoteMap, WHOLE_BYTES } from './remote-map.js';
import { RemoteNodes } from './remote-nodes.js';

/** What a larger map says is not kept: of more than 20,000 objects it takes more memory than the fetch, and a push that asks learns it too. */
const LARGEST_TAUGHT_BYTES: number = Math.min(WHOLE_BYTES, 1024 * 1024);

/** Notes in the have-index of a store what a fetch has seen of a remote, so that a push after it need not ask. */
export class HaveTeacher {
  private readonly store: Store;
  private readonly signal: AbortSignal | undefined;
  private readonly known = new Map<Remote, HaveIndex>();

  constructor(store: Store, signal: AbortSignal | undefined) {
    this.store = store;
    this.signal = signal;
  }

  /**
   * Learns from the map of a root of which everything has come. Only a map that proves something for this writer teaches, and one that is in memory as a whole with those that it refers to: then it takes no
   * request. `maps`: those that the fetch has opened.
   */
  async teach(remote: Remote, root: OutRoot, map: RemoteMap, maps: OpenMaps): Promise<void> {
    // A fetch reads maps in parts, and a signature is one of the whole.
    if (remote.signatures.needed.maps) return;
    if (!remote.storage.durable || !remote.areas.proof.includes(map.area)) return;
    if ([map, ...(await maps.all())].some(({ front: { header } }) => header.totalBytes > LARGEST_TAUGHT_BYTES)) return;
    const { store } = this;
    const have = this.haveOf(remote);
    if (have.knowsMap(rawOf(root.digest))) return;
    const nodes = new RemoteNodes(remote.storage, this.signal);
    try {
      const records = await learnMap({ maps, nodes, reader: store.reader, have }, map, root);
      for (const record of records) have.add(record, remote.areas.proof);
      appendHave(store, remote.haveName, records);
    } catch (error) {
      // All of the root has come, so what is wrong with its map is the matter of whoever relies on it.
      if (!(error instanceof SluiceError) || error.exitCode !== 4) throw error;
    }
  }

  private haveOf(remote: Remote): HaveIndex {
    const known = this.known.get(remote);
    if (known !== undefined) return known;
    const have = new HaveIndex();
    for (const record of readHave(this.store, remote.haveName)) have.add(record, remote.areas.proof);
    this.known.set(remote, have);
    return have;
  }
}
