import type { Digest } from '../digest.js';
import { digestFromRaw } from '../digest.js';
import { compareUtf8, sortUtf8 } from '../path.js';
import type { EncodedNode } from '../split.js';
import { MAX_DEPTH, TREE, type TreeNode } from '../tree.js';
import { encodeMerged, type Piece } from './encode-merged.js';
import {
  entriesOfNode,
  expectDirectory,
  expectPart,
  invalid,
  isSplit,
  type ListedPart,
  partsOfNode,
} from './listing.js';
import { type ConflictClass, mergeEntry, type Sides, type TreeEntry } from './merge-entry.js';

/** A node that a merge has to see. */
export interface WantedNode {
  readonly side: keyof Sides<unknown>;
  /** Path of its directory below the root; `''` for the root. */
  readonly path: string;
  readonly digest: Digest;
  /** The first name of a part of a split directory. */
  readonly part?: string;
}

/** Gives nodes of trees, in the order in which they are asked for. All that one step needs is asked at once, so that one request may bring many. */
export type ReadNodes = (wanted: readonly WantedNode[]) => Promise<readonly TreeNode[]>;

/** A path that could not be merged, with what stands there on each side. */
export interface TreeConflict extends Sides<TreeEntry> {
  /** Below the root; `''` for the root itself. */
  readonly path: string;
  readonly class: ConflictClass;
}

/** The result of a merge: at the paths of conflicts it has what our side has. */
export interface MergedTree {
  readonly entry: TreeEntry | undefined;
  /** In the order of paths. */
  readonly conflicts: readonly TreeConflict[];
}

/**
 * Merges what stands at one place on two sides, directory by directory. Reads only nodes that are not the same on all sides, and no blob. `emit` gets the nodes of
 * merged directories; some may be known already. The same content has the same root, however it came about. Throws what `read` throws, and `ERR_TREE_INVALID`.
 */
export async function mergeTrees(
  sides: Sides<TreeEntry>,
  read: ReadNodes,
  emit: (node: EncodedNode) => void,
): Promise<MergedTree> {
  const conflicts: TreeConflict[] = [];
  const opened: Opened[] = [];
  const top = decide(sides, '', conflicts);
  if (top.kind === 'take') return { entry: top.entry, conflicts };
  let level: Opened[] = [openedAt('', sides, 0)];
  while (level.length > 0) {
    opened.push(...level);
    level = await openLevel(level, read, conflicts);
  }
  // Children come after their parents, so from the end each directory knows what is below it.
  for (const directory of opened.reverse()) directory.merged = await close(directory, read, emit);
  conflicts.sort((a, b) => compareUtf8(a.path, b.path));
  return { entry: opened.at(-1)?.merged, conflicts };
}

/** A directory that is merged name by name. */
interface Opened {
  readonly path: string;
  readonly depth: number;
  readonly sides: Sides<TreeEntry>;
  readonly entries: Map<string, TreeEntry>;
  readonly kept: Map<string, ListedPart>;
  readonly children: Map<string, Opened>;
  /** Known when everything below it is merged; `undefined` then if there is nothing. */
  merged: TreeEntry | undefined;
}

const SIDES = ['base', 'ours', 'theirs'] as const;

function openedAt(path: string, { base, ours, theirs }: Sides<TreeEntry>, depth: number): Opened {
  const tree = (entry: TreeEntry | undefined): TreeEntry | undefined => (entry?.kind === TREE ? entry : undefined);
  const sides = { base: tree(base), ours: tree(ours), theirs: tree(theirs) };
  if (depth > MAX_DEPTH)
    throw invalid((sides.ours ?? sides.theirs ?? sides.base)?.digest ?? NOTHING, 'it is nested too deep');
  return { path, depth, sides, entries: new Map(), kept: new Map(), children: new Map(), merged: undefined };
}

const NOTHING: Digest = digestFromRaw(Buffer.alloc(32));

/** What becomes of a path; a conflict is noted and has what our side has. */
function decide(
  sides: Sides<TreeEntry>,
  path: string,
  conflicts: TreeConflict[],
): { readonly kind: 'take'; readonly entry: TreeEntry | undefined } | { readonly kind: 'descend' } {
  const choice = mergeEntry(sides);
  if (choice.kind !== 'conflict') return choice;
  conflicts.push({ path, class: choice.class, ...sides });
  return { kind: 'take', entry: sides.ours };
}

/** Reads the directories of one level and decides about their names; returns the directories below that have to be looked into. */
async function openLevel(level: readonly Opened[], read: ReadNodes, conflicts: TreeConflict[]): Promise<Opened[]> {
  const tops = await readTops(level, read);
  const below: Opened[] = [];
  for (const [directory, listing] of await readEntries(level, tops, read)) {
    const names = new Set(SIDES.flatMap((side) => [...listing[side].keys()]));
    for (const name of sortUtf8([...names])) {
      const sides = { base: listing.base.get(name), ours: listing.ours.get(name), theirs: listing.theirs.get(name) };
      const path = directory.path === '' ? name : `${directory.path}/${name}`;
      const choice = decide(sides, path, conflicts);
      if (choice.kind === 'descend') {
        const child = openedAt(path, sides, directory.depth + 1);
        directory.children.set(name, child);
        below.push(child);
      } else if (choice.entry !== undefined) directory.entries.set(name, choice.entry);
    }
  }
  return below;
}

type Tops = Record<keyof Sides<unknown>, TreeNode | undefined>;
type Listing = Record<keyof Sides<unknown>, Map<string, TreeEntry>>;

async function readTops(level: readonly Opened[], read: ReadNodes): Promise<Map<Opened, Tops>> {
  const wanted = level.flatMap((directory) =>
    SIDES.flatMap((side) => {
      const named = directory.sides[side];
      return named === undefined ? [] : [{ directory, side, named }];
    }),
  );
  const nodes = await read(
    wanted.map(({ directory, side, named }) => ({ side, path: directory.path, digest: named.digest })),
  );
  const tops = new Map<Opened, Tops>(
    level.map((directory) => [directory, { base: undefined, ours: undefined, theirs: undefined }]),
  );
  wanted.forEach(({ directory, side, named }, i) => {
    const node = nodes[i];
    const own = tops.get(directory);
    if (node === undefined || own === undefined) throw invalid(named.digest, 'it was not given');
    expectDirectory(node, named);
    own[side] = node;
  });
  return tops;
}

/** The entries of directories, of split ones those parts that are not the same on all sides; the others are kept as they are. */
async function readEntries(
  level: readonly Opened[],
  tops: ReadonlyMap<Opened, Tops>,
  read: ReadNodes,
): Promise<Map<Opened, Listing>> {
  const listings = new Map<Opened, Listing>();
  const wanted: { side: keyof Tops; directory: Opened; part: ListedPart }[] = [];
  for (const directory of level) {
    const own = tops.get(directory);
    if (own === undefined) continue;
    const common = commonParts(own);
    for (const part of common.values()) directory.kept.set(part.first, part);
    const listing: Listing = { base: new Map(), ours: new Map(), theirs: new Map() };
    for (const side of SIDES) {
      const node = own[side];
      if (node === undefined) continue;
      if (!isSplit(node)) listing[side] = entriesOfNode(node);
      else for (const part of partsOfNode(node)) if (!common.has(part.digest)) wanted.push({ side, directory, part });
    }
    listings.set(directory, listing);
  }
  const nodes = await read(
    wanted.map(({ side, directory, part }) => ({ side, path: directory.path, digest: part.digest, part: part.first })),
  );
  wanted.forEach(({ side, directory, part }, i) => {
    const node = nodes[i];
    const listing = listings.get(directory);
    if (node === undefined || listing === undefined) throw invalid(part.digest, 'it was not given');
    expectPart(node, part);
    addInOrder(listing[side], node, part.digest);
  });
  return listings;
}

function addInOrder(listing: Map<string, TreeEntry>, node: TreeNode, digest: Digest): void {
  for (const [name, entry] of entriesOfNode(node)) {
    if (listing.has(name)) throw invalid(digest, `it holds ${JSON.stringify(name)}, which another part holds too`);
    listing.set(name, entry);
  }
}

/** Parts that all three sides have: between their first and last name no side has anything else, so nothing was changed there. */
function commonParts({ base, ours, theirs }: Tops): Map<Digest, ListedPart> {
  const common = new Map<Digest, ListedPart>();
  if (base === undefined || ours === undefined || theirs === undefined) return common;
  if (![base, ours, theirs].every(isSplit)) return common;
  const [inOurs, inTheirs] = [ours, theirs].map((node) => new Set(partsOfNode(node).map(({ digest }) => digest)));
  for (const part of partsOfNode(base)) {
    if (inOurs?.has(part.digest) === true && inTheirs?.has(part.digest) === true) common.set(part.digest, part);
  }
  return common;
}

/** Encodes a directory whose children are merged. One that lost everything, and that a side removed, is gone. */
async function close(
  directory: Opened,
  read: ReadNodes,
  emit: (node: EncodedNode) => void,
): Promise<TreeEntry | undefined> {
  const { path, sides, entries, kept, children } = directory;
  for (const [name, child] of children) if (child.merged !== undefined) entries.set(name, child.merged);
  if (entries.size + kept.size === 0 && (sides.ours === undefined || sides.theirs === undefined)) return undefined;
  const pieces: Piece[] = [...entries].map(([name, entry]) => ({ name, entry }));
  for (const [name, part] of kept) pieces.push({ name, part });
  pieces.sort((a, b) => compareUtf8(a.name, b.name));
  const { top, parts, files, bytes } = await encodeMerged(pieces, async (part) => {
    const [node] = await read([{ side: 'ours', path, digest: part.digest, part: part.first }]);
    if (node === undefined) throw invalid(part.digest, 'it was not given');
    expectPart(node, part);
    return entriesOfNode(node);
  });
  for (const part of parts) emit(part);
  emit(top);
  return { kind: TREE, digest: digestFromRaw(top.raw), size: bytes, files };
}
