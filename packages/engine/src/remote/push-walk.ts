import { type ErrorWire, SluiceError, throwIfAborted, toErrorWire } from '../errors.js';
import type { Cuts } from '../model/cutter.js';
import { digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { OWN_KEY_BYTES } from '../model/map.js';
import { CODEC_NONE, type PackEntry } from '../model/pack.js';
import type { NodeBytes } from '../model/patch.js';
import type { OutRoot } from '../model/root.js';
import { decodeNode, MAX_DEPTH, PART, SPLIT, TREE, type TreeNode } from '../model/tree.js';
import { missingError } from '../store/loose.js';
import type { ObjectReader } from '../store/reader.js';
import type { Advance } from '../util/progress.js';
import type { ChunkedBlobs, FindChunk } from './chunked-blobs.js';
import type { HaveIndex, HavePack } from './have-index.js';
import { MapBuilder, type PackPlace, type PackRef } from './map-builder.js';
import { patchNode } from './patch-node.js';
import type { ObjectTally } from './tally.js';
import { findTwin, twinsBelow } from './twin-nodes.js';
import type { Uploader } from './upload.js';

/** What the walk over roots works with. */
export interface PushWalkContext {
  readonly have: HaveIndex;
  readonly uploader: Uploader;
  readonly chunked: ChunkedBlobs;
  /** Reads tree nodes. */
  readonly reader: ObjectReader;
  readonly tally: ObjectTally;
  /** Decide and count, but send nothing. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A map that waits until everything that it names is durable. */
export interface Draft {
  readonly root: OutRoot;
  readonly builder: MapBuilder;
  /** As the map says them: each object once, where it is not part of a subtree that another map holds. */
  readonly objects: { blobs: number; trees: number; blobBytes: number };
  readonly files: { sent: number; reused: number };
  /** Root of the version before, as far as one is here. */
  before: Buffer | undefined;
}

/** A walk that has met this many objects that it cannot read does not go on. */
const MOST_PROBLEMS = 20;

/**
 * Walks roots as they are in the store, sends what the remote lacks, and writes down where everything lies there. A subtree that another map holds is
 * not walked. Objects that cannot be read are gathered, with their paths: in {@link problems} when the draft of their root is there, in {@link late} when they were being sent.
 */
export class PushWalk {
  readonly problems: ErrorWire[] = [];
  readonly late: ErrorWire[] = [];
  private readonly context: PushWalkContext;
  private readonly packRefs = new Map<HavePack, PackRef>();
  /** Chunks that a dry run would have sent. */
  private readonly counted = new DigestTable();

  constructor(context: PushWalkContext) {
    this.context = context;
  }

  /** Sends what a root lacks and drafts its map. `before`: earlier versions of it, latest first. */
  async draft(root: OutRoot, advance: Advance | undefined, before: readonly OutRoot[] = []): Promise<Draft> {
    const objects = { blobs: 0, trees: 0, blobBytes: 0 };
    const draft: Draft = { root, builder: new MapBuilder(), objects, files: { sent: 0, reused: 0 }, before: undefined };
    const seen = { blob: new DigestTable(), tree: new DigestTable() };
    const walked: Walked = { draft, raw: rawOf(root.digest), seen, advance };
    if (root.kind === 'blob') await this.blob(walked, walked.raw, 0, root.bytes, () => '');
    else {
      const versions = [...before.map(({ digest }) => rawOf(digest)), ...this.context.have.latestRoots()];
      const twin = findTwin(this.context.reader, root.digest, versions);
      draft.before = twin;
      await this.node(walked, { raw: walked.raw, files: root.files, bytes: root.bytes, path: '', depth: 0, twin });
    }
    return draft;
  }

  /** Adds a node and everything below it; returns how many trees that are. */
  private async node(walked: Walked, named: Named): Promise<number> {
    const { raw, files, bytes, path, depth } = named;
    throwIfAborted(this.context.signal);
    const referred = this.refer(walked, named);
    if (referred !== undefined) return referred;
    const { builder, objects } = walked.draft;
    const read = this.read(named);
    if (read === undefined) return 0;
    const { node } = read;
    const isPart = node.shape === PART;
    const place = this.nodePlace(builder, named, read);
    const twinOf = twinsBelow(this.context.reader, named.twin, node);
    if (!isPart) {
      this.context.tally.tree(raw, files, bytes, place.pack.have === undefined);
      if (walked.seen.tree.set(raw)) objects.trees++;
    }
    const begun = builder.beginNode(place);
    await this.blobs(walked, node, path);
    let trees = isPart ? 0 : 1;
    for (let i = 0; i < node.kinds.length && this.problems.length < MOST_PROBLEMS; i++) {
      if (node.kinds[i] !== TREE) continue;
      const isSplit = node.shape === SPLIT;
      trees += await this.node(walked, {
        raw: Buffer.from(node.digests.subarray(i * RAW_DIGEST_BYTES, (i + 1) * RAW_DIGEST_BYTES)),
        files: node.files[i] ?? 0,
        bytes: node.sizes[i] ?? 0,
        path: isSplit ? path : below(path, node.names[i] ?? ''),
        depth: isSplit ? depth : depth + 1,
        twin: twinOf(i),
      });
    }
    builder.endNode(begun, raw, trees, files);
    return trees;
  }

  /** Refers to the map that holds a subtree, if one is known; returns how many trees it has. */
  private refer({ draft, raw: root, advance }: Walked, { raw, files, bytes }: Named): number | undefined {
    const there = this.context.have.node(raw, 0, root);
    if (there === undefined || !draft.builder.mayName(there.map)) return undefined;
    draft.builder.addReference(there.map, there.number, there.nodes, there.trees);
    draft.files.reused += files;
    draft.objects.blobs += files;
    draft.objects.trees += there.trees;
    draft.objects.blobBytes += bytes;
    this.context.tally.subtree(raw, files, bytes, there.trees);
    advance?.(files, bytes);
    return there.trees;
  }

  /** Reads a node and compares it with what the node above says. */
  private read({ raw, files, bytes, path, depth }: Named): NodeBytes | undefined {
    const name = path === '' ? shortDigest(digestFromRaw(raw)) : path;
    try {
      const encoded = this.context.reader.read('tree', raw);
      const node = decodeNode(encoded, name);
      if (node.totalFiles !== files || node.totalBytes !== bytes) {
        throw new SluiceError('ERR_TREE_INVALID', `tree ${name} is not what the tree above it says`);
      }
      if (depth > MAX_DEPTH) throw new SluiceError('ERR_TREE_INVALID', `tree ${name} is nested too deep`);
      return { node, bytes: encoded };
    } catch (error) {
      this.note(path, error);
      return undefined;
    }
  }

  /** `read`: the node, of which the bytes are valid until something else is read. */
  private nodePlace(builder: MapBuilder, { raw, twin }: Named, { node, bytes }: NodeBytes): PackPlace {
    const placeOf = (of: Buffer): PackPlace | undefined => this.known(builder, 'tree', of, 0);
    const known = placeOf(raw);
    if (known !== undefined) return known;
    const { dryRun, uploader, have, reader } = this.context;
    if (dryRun) return NOWHERE;
    const isPart = node.shape === PART;
    const whole = twin === undefined ? bytes : Buffer.from(bytes);
    const made = patchNode({ have, reader, placeOf }, { bytes: whole, node }, twin);
    if (made === undefined) return uploader.addNode(whole, raw, isPart);
    return uploader.addPatch(made.patch, isPart, { raw, base: made.base, full: whole.length });
  }

  private async blobs(walked: Walked, node: TreeNode, path: string): Promise<void> {
    const { kinds, sizes, names, digests } = node;
    for (let i = 0; i < kinds.length && this.problems.length < MOST_PROBLEMS; i++) {
      if (kinds[i] === TREE) continue;
      const wait = this.blob(walked, digests, i * RAW_DIGEST_BYTES, sizes[i] ?? 0, () => below(path, names[i] ?? ''));
      if (wait !== undefined) await wait;
    }
    await this.context.uploader.sendFull();
  }

  /** Adds one blob; returns a promise only where something has to be waited for, since there may be millions. */
  private blob(
    walked: Walked,
    raw: Buffer,
    rawAt: number,
    size: number,
    path: () => string,
  ): Promise<void> | undefined {
    if (size >= OWN_KEY_BYTES) return this.largeBlob(walked, raw, rawAt, size, path);
    const { builder } = walked.draft;
    try {
      const known = this.known(builder, 'blob', raw, rawAt);
      const place = known ?? this.send(raw, rawAt, size);
      builder.addPacked(place);
      this.count(walked, raw, rawAt, size, place.pack.have === undefined);
    } catch (error) {
      this.note(path(), error);
    }
    return this.context.uploader.isFull ? this.context.uploader.sendFull() : undefined;
  }

  private async largeBlob(walked: Walked, raw: Buffer, rawAt: number, size: number, path: () => string): Promise<void> {
    const { have, uploader, dryRun, tally } = this.context;
    const own = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
    try {
      const done = uploader.keyOf(own, 0);
      const there = done === undefined ? have.key(own, 0) : undefined;
      const known = done ?? there;
      let sent = done !== undefined && tally.isSent(own, 0);
      if (known !== undefined) walked.draft.builder.addOwnKey(known.area, known.slices, there);
      else if (await this.inChunks(walked, own, size)) return;
      else if (dryRun) {
        sent = (await uploader.areaOfLarge(digestFromRaw(own), size)) === undefined;
        if (sent) this.expectLocal(own, 0);
      } else {
        const failed = (error: unknown): void => this.note(path(), error, this.late);
        const added = await uploader.addLarge(own, size, walked.advance, failed);
        sent = added.sent;
        walked.draft.builder.addOwnKey(added.blob.area, added.blob.slices, undefined);
        this.count({ ...walked, advance: undefined }, own, 0, size, sent);
        return;
      }
      walked.advance?.(1, size);
      this.count({ ...walked, advance: undefined }, own, 0, size, sent);
    } catch (error) {
      this.note(path(), error);
    }
  }

  /** Adds a large blob that lies in chunks, or shall; returns whether it does. */
  private async inChunks(walked: Walked, raw: Buffer, size: number): Promise<boolean> {
    const { chunked, uploader, dryRun, tally } = this.context;
    const { builder } = walked.draft;
    const find: FindChunk = (chunk) => this.known(builder, 'blob', chunk, 0);
    let placed = chunked.known(raw, size, find);
    if (placed === undefined) {
      const form = await this.largeForm(raw, size);
      if (form === 'own-key') return false;
      if (dryRun) {
        const bytes = await chunked.count(raw, size, form, find, this.counted);
        this.count(walked, raw, 0, size, tally.isSent(raw, 0) || bytes > 0, bytes);
        return true;
      }
      placed = await chunked.send(raw, size, form, find, uploader);
    }
    builder.addChunked(raw, placed.chunks);
    this.count(walked, raw, 0, size, tally.isSent(raw, 0) || placed.sentBytes > 0, placed.sentBytes);
    return true;
  }

  /** A blob that is there under its key, whoever has sent it, stays there. */
  private async largeForm(raw: Buffer, size: number): Promise<'own-key' | Cuts> {
    const { uploader } = this.context;
    const form = uploader.largeForm(raw, size);
    if (form === 'own-key') return form;
    return (await uploader.areaOfLarge(digestFromRaw(raw), size)) === undefined ? form : 'own-key';
  }

  private count(
    { draft, seen, advance }: Walked,
    raw: Buffer,
    rawAt: number,
    size: number,
    sent: boolean,
    sentBytes?: number,
  ): void {
    draft.files[sent ? 'sent' : 'reused']++;
    this.context.tally.blob(raw, rawAt, size, sent, sentBytes);
    if (advance !== undefined) {
      if (sent && !this.context.dryRun) this.context.uploader.owe(advance, 1, size);
      else advance(1, size);
    }
    if (!seen.blob.set(raw, rawAt)) return;
    draft.objects.blobs++;
    draft.objects.blobBytes += size;
  }

  private send(raw: Buffer, rawAt: number, size: number): PackPlace {
    if (!this.context.dryRun) return this.context.uploader.addBlob(raw, rawAt, size);
    if (!this.context.tally.isSent(raw, rawAt)) this.expectLocal(raw, rawAt);
    return NOWHERE;
  }

  private expectLocal(raw: Buffer, rawAt: number): void {
    if (this.context.reader.catalog.has('blob', raw, rawAt)) return;
    throw missingError('blob', raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Where an object lies already: this push has sent it, or the remote is known to have it. */
  private known(builder: MapBuilder, kind: 'blob' | 'tree', raw: Buffer, rawAt: number): PackPlace | undefined {
    const sent = this.context.uploader.placeOf(kind, raw, rawAt);
    if (sent !== undefined && this.hasBase(sent)) return sent;
    const there = this.context.have.object(kind, raw, rawAt);
    return there === undefined || !builder.mayUse(there.pack) ? undefined : this.placeIn(there.pack, there.entry);
  }

  /** What this push has sent of a node is good for nothing if its base turned out to be gone. */
  private hasBase({ patch }: PackPlace): boolean {
    if (patch === undefined) return true;
    const { pack } = patch.base.place;
    const now =
      pack.have === undefined
        ? this.context.uploader.placeOf('tree', patch.base.raw, 0)?.pack
        : this.context.have.object('tree', patch.base.raw, 0)?.pack;
    return now === (pack.have ?? pack);
  }

  private placeIn(pack: HavePack, { offset, stored, codec }: PackEntry): PackPlace {
    let ref = this.packRefs.get(pack);
    if (ref === undefined) {
      ref = { area: pack.area, name: pack.name, have: pack };
      this.packRefs.set(pack, ref);
    }
    return { pack: ref, offset, stored, codec };
  }

  /** Notes that an object of the store cannot be sent; any other failure ends the push. */
  private note(path: string, error: unknown, problems = this.problems): void {
    if (!(error instanceof SluiceError) || !LOCAL_PROBLEMS.has(error.code)) throw error;
    const wire = toErrorWire(error);
    problems.push({ ...wire, message: path === '' ? wire.message : `${path}: ${wire.message}` });
  }
}

/** One walk over one root. */
interface Walked {
  readonly draft: Draft;
  readonly raw: Buffer;
  /** Objects that the map counts already. */
  readonly seen: { readonly blob: DigestTable; readonly tree: DigestTable };
  readonly advance: Advance | undefined;
}

/** A node as the node above names it. */
interface Named {
  readonly raw: Buffer;
  readonly files: number;
  readonly bytes: number;
  readonly path: string;
  readonly depth: number;
  /** What stood in its place in a version before. */
  readonly twin: Buffer | undefined;
}

/** In a dry run nothing has a place. */
const NOWHERE: PackPlace = {
  pack: { area: 'shared', name: Buffer.alloc(16), have: undefined },
  offset: 0,
  stored: 0,
  codec: CODEC_NONE,
};

const LOCAL_PROBLEMS: ReadonlySet<string> = new Set(['ERR_OBJECT_MISSING', 'ERR_OBJECT_DAMAGED', 'ERR_TREE_INVALID']);

function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
