import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { OWN_KEY_BYTES } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import { decodeNode, MAX_DEPTH, PART, SPLIT, TREE } from '../model/tree.js';
import type { Store } from '../store/store.js';
import type { Advance, BeginProgress } from '../util/progress.js';
import { appendHave, markSeen, readHave, rewriteHave } from './have-file.js';
import { type HaveBlob, HaveIndex, type HaveMap, type HavePack, mapRecord } from './have-index.js';
import { blobKey, mapKey, packKey } from './keys.js';
import { learnMap } from './learn-map.js';
import { MapBuilder, type PackPlace, type PackRef } from './map-builder.js';
import { firstInAreas, type Remote } from './remote.js';
import { readMapHeader } from './remote-map.js';
import { bodyOf } from './storage/port.js';
import { Uploader } from './upload.js';

/** A root to be on the remote, and versions of the same out that may be there already. */
export interface PushRoot {
  readonly root: OutRoot;
  readonly previous?: readonly OutRoot[] | undefined;
}

/** How to push. */
export interface PushRootsOptions {
  readonly remote: Remote;
  readonly store: Store;
  readonly roots: readonly PushRoot[];
  /** Other roots that may be on the remote: what they share need not be sent. */
  readonly known?: readonly OutRoot[] | undefined;
  /** Sends nothing and writes nothing; tells what would be sent. */
  readonly dryRun?: boolean | undefined;
  readonly beginProgress?: BeginProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Files, distinct objects and bytes of distinct blobs that were sent, or were on the remote already. */
export interface PushResult {
  readonly files: { sent: number; reused: number };
  readonly objects: { sent: number; reused: number };
  readonly bytes: { sent: number; reused: number };
}

/** Maps of other roots that are read at most to learn what is there: one or two requests each. */
const MOST_LEARNT = 32;
/** How often a map is built anew because something that it relied on is gone. */
const ATTEMPTS = 4;

/**
 * Sends what roots reach and the remote lacks, in the order packs and large blobs, map. A map is written only when all that it names was
 * confirmed. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED` for objects that the store cannot give, with no map written for their root, and
 * what the remote throws.
 */
export async function pushRoots(options: PushRootsOptions): Promise<PushResult> {
  const { remote, store, roots, signal, dryRun = false } = options;
  const result = { files: { sent: 0, reused: 0 }, objects: { sent: 0, reused: 0 }, bytes: { sent: 0, reused: 0 } };
  if (roots.length === 0) return result;
  if (dryRun) await remote.contact(signal);
  else {
    await remote.prepare(signal);
    markSeen(store, remote.description);
  }
  store.reader.catalog.refresh();
  const missing: PushRoot[] = [];
  for (const wanted of roots) {
    const found = await headerOf(remote, wanted.root, signal);
    if (found === undefined) {
      missing.push(wanted);
      continue;
    }
    result.files.reused += wanted.root.files;
    result.objects.reused += found.blobs + found.trees;
    result.bytes.reused += found.blobBytes;
  }
  if (missing.length === 0) return result;
  const have = new HaveIndex();
  for (const record of readHave(store, remote.description)) have.add(record, remote.areas.proof);
  await learn(options, missing, have);
  await store.write(async (session) => {
    const uploader = new Uploader(store, remote.storage, remote.areas.own, session.lease.tmpDir, signal);
    const push = new Push(options, have, uploader, result);
    try {
      for (const { root } of missing) await push.root(root);
      await push.flush();
    } finally {
      await uploader.abandon();
      if (!dryRun) appendHave(store, remote.description, uploader.records);
    }
  });
  return result;
}

async function headerOf(
  remote: Remote,
  root: OutRoot,
  signal: AbortSignal | undefined,
): Promise<Awaited<ReturnType<typeof readMapHeader>>> {
  if ((await remote.contact(signal)) === 'empty') return undefined;
  return firstInAreas(remote.areas.proof, (area) => readMapHeader(remote, area, root.digest, signal));
}

/** Another clone may have pushed what is about to be pushed: the maps of earlier and of neighbouring roots tell. */
async function learn(
  { remote, store, known, signal }: PushRootsOptions,
  missing: readonly PushRoot[],
  have: HaveIndex,
): Promise<void> {
  const wanted = new Set(missing.map(({ root }) => root.digest));
  const candidates = [...missing.flatMap(({ previous }) => previous ?? []), ...(known ?? [])];
  const distinct = new Map(candidates.map((root) => [root.digest, root]));
  let asked = 0;
  for (const root of distinct.values()) {
    if (wanted.has(root.digest) || have.knowsMap(rawOf(root.digest)) || asked === MOST_LEARNT) continue;
    asked++;
    for (const record of await learnMap(remote, store, root, signal)) have.add(record, remote.areas.proof);
  }
}

/** A map that waits until everything that it names is durable. */
interface Draft {
  readonly root: OutRoot;
  readonly builder: MapBuilder;
  readonly objects: { blobs: number; trees: number; blobBytes: number };
}

/** After this many bytes of roots their maps are written, so that an interrupted push has not been for nothing. */
const FLUSH_BYTES = 256 * 1024 * 1024;

/** One push over several roots: what one has sent, the next one finds. */
class Push {
  private readonly options: PushRootsOptions;
  private readonly have: HaveIndex;
  private readonly uploader: Uploader;
  private readonly result: PushResult;
  private readonly counted = { blob: new DigestTable(), tree: new DigestTable() };
  private readonly confirmed = new Set<HavePack | HaveMap | HaveBlob>();
  private readonly packRefs = new Map<HavePack, PackRef>();
  private readonly drafts: Draft[] = [];
  private sentBytes = 0;
  private advance: Advance | undefined;

  constructor(options: PushRootsOptions, have: HaveIndex, uploader: Uploader, result: PushResult) {
    this.options = options;
    this.have = have;
    this.uploader = uploader;
    this.result = result;
  }

  /** Sends what a root lacks; its map is written by the next {@link flush}. */
  async root(root: OutRoot): Promise<void> {
    this.advance = this.options.beginProgress?.(root.files, root.bytes);
    this.drafts.push(await this.draft(root));
    this.sentBytes += root.bytes;
    if (this.sentBytes >= FLUSH_BYTES) await this.flush();
  }

  /** Waits until everything that was sent is durable, and writes the maps. */
  async flush(): Promise<void> {
    if (this.options.dryRun === true) return;
    await this.uploader.finish();
    for (const draft of this.drafts.splice(0)) await this.complete(draft);
    this.sentBytes = 0;
  }

  private async draft(root: OutRoot): Promise<Draft> {
    const builder = new MapBuilder();
    const objects = { blobs: 0, trees: 0, blobBytes: 0 };
    const raw = rawOf(root.digest);
    if (root.kind === 'blob') await this.blob(builder, objects, raw, 0, root.bytes);
    else await this.node(builder, objects, raw, raw, root.files, root.bytes, 0);
    return { root, builder, objects };
  }

  /** Writes a map once all that it relies on is confirmed. What turns out to be gone is sent, and the map is built anew. */
  private async complete(first: Draft): Promise<void> {
    this.advance = undefined;
    let draft = first;
    for (let attempt = 1; !(await this.confirm(draft.builder)); attempt++) {
      if (attempt === ATTEMPTS) {
        throw new SluiceError('ERR_REMOTE_DOWN', `${this.options.remote.description} keeps losing what it was given`, {
          hint: 'Look whether somebody deletes files there by hand.',
        });
      }
      draft = await this.draft(draft.root);
      await this.uploader.finish();
    }
    await this.writeMap(draft);
  }

  private async writeMap({ builder, root, objects }: Draft): Promise<void> {
    const { remote, signal } = this.options;
    const { own } = remote.areas;
    const body = bodyOf(builder.finish(root, objects));
    const stored = await remote.storage.put(mapKey(own, root.digest), body, { ifAbsent: true, signal });
    // Another pusher's map of this root has other places than ours, so nothing may refer to its rows by our numbers; its nodes have the same.
    if (stored === 'stored' && root.kind === 'tree') {
      const record = mapRecord(own, rawOf(root.digest), builder.notedNodes());
      this.uploader.records.push(record);
      this.have.add(record, remote.areas.proof);
    }
  }

  /** Adds a node and everything below it; returns how many trees that are. */
  private async node(
    builder: MapBuilder,
    objects: { blobs: number; trees: number; blobBytes: number },
    raw: Buffer,
    root: Buffer,
    files: number,
    bytes: number,
    depth: number,
  ): Promise<number> {
    const name = shortDigest(digestFromRaw(raw));
    if (depth > MAX_DEPTH * 2) throw new SluiceError('ERR_TREE_INVALID', `tree ${name} is nested too deep`);
    const there = this.have.node(raw, 0, root);
    if (there !== undefined) {
      builder.addReference(there.map, there.number, there.nodes, there.trees);
      this.result.files.reused += files;
      if (this.counted.tree.set(raw)) {
        this.result.objects.reused += files + there.trees;
        this.result.bytes.reused += bytes;
      }
      objects.blobs += files;
      objects.trees += there.trees;
      objects.blobBytes += bytes;
      this.advance?.(files, bytes);
      return there.trees;
    }
    const encoded = Buffer.from(this.options.store.reader.read('tree', raw));
    const node = decodeNode(encoded, name);
    const isPart = node.shape === PART;
    const begun = builder.beginNode(this.nodePlace(raw, encoded, isPart));
    let trees = isPart ? 0 : 1;
    if (!isPart) objects.trees++;
    for (let i = 0; i < node.kinds.length; i++) {
      if (node.kinds[i] === TREE) continue;
      await this.blob(builder, objects, node.digests, i * RAW_DIGEST_BYTES, node.sizes[i] ?? 0);
    }
    await this.uploader.sendFull();
    for (let i = 0; i < node.kinds.length; i++) {
      if (node.kinds[i] !== TREE) continue;
      const child = Buffer.from(node.digests.subarray(i * RAW_DIGEST_BYTES, (i + 1) * RAW_DIGEST_BYTES));
      const step = node.shape === SPLIT ? 0 : 1;
      trees += await this.node(builder, objects, child, root, node.files[i] ?? 0, node.sizes[i] ?? 0, depth + step);
    }
    builder.endNode(begun, raw, trees, node.totalFiles);
    return trees;
  }

  private nodePlace(raw: Buffer, encoded: Buffer, isPart: boolean): PackPlace {
    const isNew = this.counted.tree.set(raw);
    const sent = this.uploader.placeOf('tree', raw, 0);
    if (sent !== undefined) return sent;
    const there = this.have.object('tree', raw, 0);
    if (isNew && !isPart) this.result.objects[there === undefined ? 'sent' : 'reused']++;
    if (there !== undefined) return this.havePlace(there.pack, there.entry);
    if (this.options.dryRun === true) return NOWHERE;
    return this.uploader.addNode(encoded, raw, isPart);
  }

  private async blob(
    builder: MapBuilder,
    objects: { blobs: number; blobBytes: number },
    raw: Buffer,
    rawAt: number,
    size: number,
  ): Promise<void> {
    this.advance?.(1, size);
    const isNew = this.counted.blob.set(raw, rawAt);
    const sent = this.uploader.placeOf('blob', raw, rawAt);
    const sentKey = sent === undefined ? this.uploader.keyOf(raw, rawAt) : undefined;
    const there = sent === undefined && sentKey === undefined ? this.have.object('blob', raw, rawAt) : undefined;
    const thereKey =
      there === undefined && sent === undefined && sentKey === undefined ? this.have.key(raw, rawAt) : undefined;
    const isReused = !isNew || there !== undefined || thereKey !== undefined;
    this.result.files[isReused ? 'reused' : 'sent']++;
    if (isNew) {
      this.result.objects[isReused ? 'reused' : 'sent']++;
      this.result.bytes[isReused ? 'reused' : 'sent'] += size;
    }
    objects.blobs++;
    objects.blobBytes += size;
    if (sent !== undefined) builder.addPacked(sent);
    else if (sentKey !== undefined) builder.addOwnKey(sentKey.area, sentKey.slices, undefined);
    else if (there !== undefined) builder.addPacked(this.havePlace(there.pack, there.entry));
    else if (thereKey !== undefined) builder.addOwnKey(thereKey.area, thereKey.slices, thereKey);
    else await this.sendBlob(builder, raw, rawAt, size);
  }

  private async sendBlob(builder: MapBuilder, raw: Buffer, rawAt: number, size: number): Promise<void> {
    if (this.options.dryRun === true) {
      builder.addPacked(NOWHERE);
    } else if (size < OWN_KEY_BYTES) {
      builder.addPacked(this.uploader.addBlob(raw, rawAt));
    } else {
      const own = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
      const { area, slices } = await this.uploader.addLarge(own, size);
      builder.addOwnKey(area, slices, undefined);
    }
  }

  private havePlace(pack: HavePack, entry: { readonly offset: number; readonly stored: number }): PackPlace {
    let ref = this.packRefs.get(pack);
    if (ref === undefined) {
      ref = { area: pack.area, name: pack.name, have: pack };
      this.packRefs.set(pack, ref);
    }
    return { pack: ref, offset: entry.offset, stored: entry.stored };
  }

  /** Asks for each thing that the map relies on; what is gone is forgotten, and then the map has to be built anew. */
  private async confirm(builder: MapBuilder): Promise<boolean> {
    const { remote, store, signal } = this.options;
    const open = [...builder.relied].filter((thing) => !this.confirmed.has(thing));
    const found = await Promise.all(open.map(async (thing) => remote.storage.stat(keyOf(thing), { signal })));
    const gone = open.filter((_, i) => found[i] === undefined);
    for (const thing of open) if (!gone.includes(thing)) this.confirmed.add(thing);
    if (gone.length === 0) return true;
    for (const thing of gone) this.have.forget(thing);
    rewriteHave(store, remote.description, this.have.records());
    return false;
  }
}

/** In a dry run nothing has a place. */
const NOWHERE: PackPlace = { pack: { area: 'shared', name: Buffer.alloc(16), have: undefined }, offset: 0, stored: 0 };

function keyOf(thing: HavePack | HaveMap | HaveBlob): Parameters<Remote['storage']['stat']>[0] {
  if ('index' in thing) return packKey(thing.area, thing.name);
  if ('nodes' in thing) return mapKey(thing.area, digestFromRaw(thing.root));
  return blobKey(thing.area, digestFromRaw(thing.raw));
}
