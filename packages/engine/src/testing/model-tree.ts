import fc from 'fast-check';
import { type Digest, digestFromRaw, digestOf } from '../model/digest.js';
import { columnsOf } from '../model/merge/listing.js';
import type { TreeEntry } from '../model/merge/merge-entry.js';
import type { ReadNodes, WantedNode } from '../model/merge/merge-trees.js';
import { sortUtf8 } from '../model/path.js';
import { type EncodedNode, encodeDirectory } from '../model/split.js';
import { decodeNode, EXECUTABLE, FILE, LINK, TREE } from '../model/tree.js';

/** A directory as a plain value: names to texts of files (`x!` an executable one, `@` a link) or directories. */
export interface ModelTree {
  readonly [name: string]: string | ModelTree;
}

/** Tree nodes in memory, with a note of which were read. */
export interface NodeBox {
  readonly nodes: Map<Digest, Buffer>;
  readonly wanted: WantedNode[];
  readonly read: ReadNodes;
  readonly emit: (node: EncodedNode) => void;
  /** The entry of a file or link by itself. */
  file(content: string): TreeEntry;
  /** Encodes a model. */
  put(model: ModelTree | undefined): TreeEntry | undefined;
  /** The model of an entry, whose nodes all have to be there. */
  get(entry: TreeEntry | undefined): ModelTree | string | undefined;
}

/** An empty box. */
export function nodeBox(): NodeBox {
  const nodes = new Map<Digest, Buffer>();
  const texts = new Map<Digest, string>();
  const wanted: WantedNode[] = [];
  const nodeOf = (digest: Digest): ReturnType<typeof decodeNode> => {
    const bytes = nodes.get(digest);
    if (bytes === undefined) throw new Error(`no node ${digest}`);
    return decodeNode(bytes, digest);
  };
  const emit = ({ raw, bytes }: EncodedNode): void => void nodes.set(digestFromRaw(raw), bytes);
  const putEntry = (value: string | ModelTree): TreeEntry => {
    if (typeof value !== 'string') return putTree(value);
    const kind = value.startsWith('x!') ? EXECUTABLE : value.startsWith('@') ? LINK : FILE;
    const content = value.replace(/^(?:x!|@)/, '');
    const digest = digestOf(content);
    texts.set(digest, content);
    return { kind, digest, size: Buffer.byteLength(content), files: 1 };
  };
  const putTree = (model: ModelTree): TreeEntry => {
    const entries = sortUtf8(Object.keys(model)).map((name) => [name, putEntry(model[name] ?? '')] as const);
    const { top, parts, files, bytes } = encodeDirectory(columnsOf(entries));
    for (const node of [...parts, top]) emit(node);
    return { kind: TREE, digest: digestFromRaw(top.raw), size: bytes, files };
  };
  const getTree = (digest: Digest): ModelTree => {
    const node = nodeOf(digest);
    const all: Record<string, string | ModelTree> = {};
    node.names.forEach((name, i) => {
      const below = digestFromRaw(node.digests, i * 32);
      if (node.counts.length > 0) Object.assign(all, getTree(below));
      else all[name] = getEntry({ kind: node.kinds[i] ?? FILE, digest: below, size: 0, files: 0 });
    });
    return all;
  };
  const getEntry = ({ kind, digest }: TreeEntry): ModelTree | string => {
    if (kind === TREE) return getTree(digest);
    return `${kind === EXECUTABLE ? 'x!' : kind === LINK ? '@' : ''}${texts.get(digest)}`;
  };
  return {
    nodes,
    wanted,
    emit,
    read: async (asked) => {
      wanted.push(...asked);
      return asked.map(({ digest }) => nodeOf(digest));
    },
    file: putEntry,
    put: (model) => (model === undefined ? undefined : putEntry(model)),
    get: (entry) => (entry === undefined ? undefined : getEntry(entry)),
  };
}

/** Small trees whose names and contents are few, so that two of them have much in common. */
export const modelTree: fc.Arbitrary<ModelTree> = fc.letrec<{ tree: ModelTree; leaf: string }>((tie) => ({
  leaf: fc.constantFrom('1', '2', '3', 'x!1', '@1', ''),
  tree: fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'é', '\u{1f600}'),
    fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie('leaf'), tie('tree')),
    { maxKeys: 4, noNullPrototype: true },
  ),
})).tree;
