import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import { mayReach, type PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { decodeNode, MAX_DEPTH, SPLIT, TREE, type TreeNode } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { type OpenMaps, type RemoteMap, type SettledSpot, type Spot, spotsBelow } from './remote-map.js';
import type { RemoteNodes } from './remote-nodes.js';

/** One node of a root on a remote, with where its blobs lie. */
export interface RemoteNode {
  /** Path of its directory below the root; `''` for the root. */
  readonly path: string;
  /** Raw digest of the node. */
  readonly raw: Buffer;
  readonly bytes: Buffer;
  readonly node: TreeNode;
  readonly spot: SettledSpot;
  /** Reads where its blobs lie: one location per entry that is not a tree, in order, as in a map. */
  readonly readLocations: () => Promise<Buffer>;
  /** Whether the store has the node already. */
  readonly isLocal: boolean;
}

/** What walking needs. */
export interface MapWalk {
  readonly maps: OpenMaps;
  readonly nodes: RemoteNodes;
  readonly reader: ObjectReader;
  /** Called with digests before it is asked whether the store has them. */
  readonly rely?: ((raw: Buffer) => void) | undefined;
  /** Is told of a node that cannot be read, and the walk goes on beside it; without this the walk ends with the error. */
  readonly failed?: ((error: SluiceError) => void) | undefined;
  /** Whether a node and all below it is of no interest. */
  readonly isKnown?: ((raw: Buffer) => boolean) | undefined;
}

/**
 * Every node below the root of a map that a filter may want something of, parents first, in the order of paths. Nodes that the store has are not read from the remote. Throws
 * `ERR_MAP_INVALID`, `ERR_TREE_INVALID`, `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`.
 */
export async function* walkMap(
  walk: MapWalk,
  map: RemoteMap,
  root: OutRoot,
  filter?: PathFilter,
): AsyncGenerator<RemoteNode> {
  yield* visit({ ...walk, filter }, { map, number: 0 }, rawOf(root.digest), '', 0);
}

async function* visit(
  walk: MapWalk & { readonly filter: PathFilter | undefined },
  spot: Spot,
  raw: Buffer,
  path: string,
  depth: number,
): AsyncGenerator<RemoteNode> {
  if (walk.isKnown?.(raw) === true) return;
  const found = await readHere(walk, spot, raw, path, depth);
  if (found === undefined) return;
  const { node, below, spots, remote } = found;
  yield remote;
  const isSplit = node.shape === SPLIT;
  for (const [n, entry] of below.entries()) {
    const child = node.digests.subarray(entry * RAW_DIGEST_BYTES, (entry + 1) * RAW_DIGEST_BYTES);
    const childName = node.names[entry] ?? '';
    const childPath = isSplit ? path : path === '' ? childName : `${path}/${childName}`;
    const range = isSplit ? [n === 0 ? undefined : childName, node.names[entry + 1]] : [];
    if (!mayReach(walk.filter, childPath, ...range)) continue;
    const childSpot = spots[n];
    if (childSpot !== undefined) yield* visit(walk, childSpot, Buffer.from(child), childPath, depth + 1);
  }
}

/** One node with its places, and the spots of those below it. */
interface NodeHere {
  readonly remote: RemoteNode;
  readonly node: TreeNode;
  /** Entries that are trees. */
  readonly below: readonly number[];
  readonly spots: readonly Spot[];
}

async function readHere(
  walk: MapWalk,
  spot: Spot,
  raw: Buffer,
  path: string,
  depth: number,
): Promise<NodeHere | undefined> {
  try {
    return await readNode(walk, spot, raw, path, depth);
  } catch (error) {
    // Exit code 4 is what is damaged or missing; anything else is no matter of this one node.
    if (walk.failed === undefined || !(error instanceof SluiceError) || error.exitCode !== 4) throw error;
    walk.failed(error);
    return undefined;
  }
}

async function readNode(walk: MapWalk, spot: Spot, raw: Buffer, path: string, depth: number): Promise<NodeHere> {
  const name = shortDigest(digestFromRaw(raw));
  if (depth > MAX_DEPTH * 2) throw new SluiceError('ERR_TREE_INVALID', `tree ${name} is nested too deep`);
  const settled = await walk.maps.settle(spot);
  walk.rely?.(raw);
  const isLocal = walk.reader.catalog.has('tree', raw);
  // Copied: what the reader gives lasts until its next call only.
  const bytes = isLocal ? Buffer.from(walk.reader.read('tree', raw)) : await walk.nodes.read(settled, raw, 0);
  const node = decodeNode(bytes, name);
  const below: number[] = [];
  for (let i = 0; i < node.kinds.length; i++) if (node.kinds[i] === TREE) below.push(i);
  const blobs = node.names.length - below.length;
  const { firstLocation, locations } = settled.row;
  if (blobs > locations) {
    throw new SluiceError('ERR_MAP_INVALID', `map ${settled.map.where} has too few blobs for tree ${name}`);
  }
  const readLocations = (): Promise<Buffer> => settled.map.locations(firstLocation, blobs);
  const remote = { path, raw, bytes, node, spot: settled, readLocations, isLocal };
  return { remote, node, below, spots: spotsBelow(settled, below.length) };
}
