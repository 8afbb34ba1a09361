import { SluiceError } from '../errors.js';
import { readBase } from '../model/base.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import {
  IN_CHUNKS,
  IN_MAP,
  LOCATION_BYTES,
  OWN_KEY,
  OWN_KEY_BYTES,
  PATCHED,
  parseMapHeader,
  readLocation,
} from '../model/map.js';
import type { PackIndex } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import type { Area } from './areas.js';
import { type AuditCount, auditBlob, auditChunked, auditPack } from './audit-objects.js';
import { blobKey, mapKey, placeOf } from './keys.js';
import { claimsOf, LARGEST_MAP_BYTES } from './map-claims.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';
import { OpenMaps, type RemoteMap, type SettledSpot } from './remote-map.js';
import { RemoteNodes } from './remote-nodes.js';
import type { StorageKey } from './storage/port.js';
import { walkMap } from './walk-map.js';

/** Something on a remote that does not keep its promise. */
export interface AuditProblem {
  readonly key: StorageKey;
  readonly error: SluiceError;
}

/** What an audit looks at. */
export interface AuditOptions {
  readonly remote: Remote;
  /** Nodes that the store has are not read from the remote. */
  readonly reader: ObjectReader;
  /** Reads every object and compares it with its digest. */
  readonly deep?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MOST_REQUESTS = 32;

/**
 * Looks whether maps keep their promise: each is sound, and signed where it has to be, and so is every map that it leads to, and every pack, map and large blob that they name is there and long
 * enough. Each thing is looked at once, however many maps name it.
 */
export class Auditor {
  /** What was found to be lost or damaged, and the maps that lead to it: nothing new may rely on these. */
  readonly bad: Set<StorageKey> = new Set();
  /** Objects whose presence or, in a deep audit, whose bytes were looked at. */
  readonly checked: AuditCount = { objects: 0, bytes: 0 };
  private readonly options: AuditOptions;
  private readonly maps = new Map<StorageKey, Promise<MapAudit>>();
  private readonly packs = new Map<StorageKey, Promise<PackAudit>>();
  private readonly blobs = new Map<StorageKey, Promise<AuditProblem[]>>();
  private readonly chunkedBlobs = new Map<string, Promise<AuditProblem[]>>();

  constructor(options: AuditOptions) {
    this.options = options;
  }

  /**
   * What is wrong with the map of a root in one area and with all that it leads to; `undefined` if there is no such map. Throws `ERR_REMOTE_DOWN`,
   * `ERR_REMOTE_DENIED` or `ERR_FORMAT_VERSION` if that cannot be known.
   */
  async problemsOf(area: Area, root: Digest): Promise<AuditProblem[] | undefined> {
    const first = await this.map(area, root);
    if (first.absent) return undefined;
    const reached = new Map<StorageKey, MapAudit>([[mapKey(area, root), first]]);
    const problems: AuditProblem[] = [];
    for (const [key, audit] of reached) {
      problems.push(...audit.problems);
      if (audit.absent) problems.push({ key, error: lost(this.options.remote, key) });
      for (const next of audit.names) {
        const nextKey = mapKey(next.area, next.root);
        if (!reached.has(nextKey)) reached.set(nextKey, await this.map(next.area, next.root));
      }
    }
    if (problems.length > 0) {
      this.bad.add(mapKey(area, root));
      for (const { key } of problems) this.bad.add(key);
      for (const [key, audit] of reached) if (audit.problems.length > 0) this.bad.add(key);
    }
    return problems;
  }

  private map(area: Area, root: Digest): Promise<MapAudit> {
    return remembered(this.maps, mapKey(area, root), () => this.auditMap(area, root));
  }

  private async auditMap(area: Area, root: Digest): Promise<MapAudit> {
    const { remote, signal } = this.options;
    const key = mapKey(area, root);
    const bytes = await remote.storage.get(key, { offset: 0, length: LARGEST_MAP_BYTES }, { signal });
    if (bytes === undefined) return { absent: true, names: [], problems: [] };
    try {
      const where = placeOf(key, remote.description);
      const claims = claimsOf(bytes, area, root, where);
      const problem = remote.signatures.problemOfMap(parseMapHeader(bytes, where), area, where);
      if (problem !== undefined) return { absent: false, names: [], problems: [{ key, error: problem }] };
      const packs = await inParallel(claims.packs, MOST_REQUESTS, ({ key: pack, end }) => this.pack(pack, end));
      const lostPacks = packs.flat();
      const content = await this.auditContent(area, claims.root, claims.hasLarge, lostPacks.length > 0);
      const problems = [...lostPacks, ...content];
      return { absent: false, names: claims.maps, problems };
    } catch (error) {
      if (!(error instanceof SluiceError) || error.exitCode !== 4 || error.code === 'ERR_FORMAT_VERSION') throw error;
      return { absent: false, names: [], problems: [{ key, error }] };
    }
  }

  private async pack(key: StorageKey, end: number): Promise<AuditProblem[]> {
    const { bytes, problems } = await remembered(this.packs, key, () => this.auditPack(key));
    if (problems.length > 0 || bytes >= end) return problems;
    return [{ key, error: tooShort(this.options.remote, key, bytes, end) }];
  }

  private async auditPack(key: StorageKey): Promise<PackAudit> {
    const { remote, deep, signal } = this.options;
    const stat = await remote.storage.stat(key, { signal });
    if (stat === undefined) return { bytes: 0, index: undefined, problems: [{ key, error: lost(remote, key) }] };
    if (deep !== true) return { bytes: stat.bytes, index: undefined, problems: [] };
    const read = await auditPack(remote.storage, key, stat.bytes, this.checked, signal);
    return { bytes: stat.bytes, index: read.index, problems: read.problems.map((error) => ({ key, error })) };
  }

  /**
   * Large blobs are named by trees, and so is, in a deep audit, what has to lie where the map says. `isToldOf`: where a pack is lost its nodes are too, and that
   * has been said.
   */
  private async auditContent(area: Area, root: OutRoot, hasLarge: boolean, isToldOf: boolean): Promise<AuditProblem[]> {
    const { remote, reader, deep, signal } = this.options;
    if (root.kind === 'blob') {
      return root.bytes >= OWN_KEY_BYTES ? this.largeRoot(area, root) : [];
    }
    if (!hasLarge && deep !== true) return [];
    const key = mapKey(area, root.digest);
    const problems: AuditProblem[] = [];
    const maps = new OpenMaps(remote, 'all', signal);
    const map = await maps.in(area, root.digest);
    if (map === undefined) return [{ key, error: lost(remote, key) }];
    const nodes = new RemoteNodes(remote.storage, signal);
    const failed = (error: SluiceError): void => {
      if (!isToldOf) problems.push({ key, error });
    };
    for await (const { node, raw: nodeRaw, spot, readLocations } of walkMap(
      { maps, nodes, reader, failed },
      map,
      root,
    )) {
      if (spot.map !== map) continue;
      const { how, place, offset } = spot.row;
      if (deep === true && how !== IN_MAP) {
        problems.push(...(await this.expectThere(key, map, map.packKey(place), nodeRaw, { offset })));
      }
      if (deep === true && how === PATCHED) problems.push(...(await this.patched(key, nodes, spot, nodeRaw)));
      const rows = await readLocations();
      for (let i = 0, at = 0; i < node.kinds.length; i++) {
        if (node.kinds[i] === TREE) continue;
        const location = readLocation(rows, at, map.front, map.where);
        at += LOCATION_BYTES;
        const raw = node.digests.subarray(i * RAW_DIGEST_BYTES, (i + 1) * RAW_DIGEST_BYTES);
        if (location.how === OWN_KEY) {
          const blob = blobKey(map.areaOf(location.area), digestFromRaw(raw));
          problems.push(...(await this.blob(blob, raw, node.sizes[i] ?? 0)));
        } else if (location.how === IN_CHUNKS) {
          problems.push(...(await this.chunked(key, map, location, raw, node.sizes[i] ?? 0)));
        } else if (deep === true) {
          problems.push(...(await this.expectThere(key, map, map.packKey(location.pack), raw, location)));
        }
      }
    }
    return problems;
  }

  /** A patched node comes of two packs, so looking at each of them does not tell; and the walk may have had the node from the store. */
  private async patched(key: StorageKey, nodes: RemoteNodes, spot: SettledSpot, raw: Buffer): Promise<AuditProblem[]> {
    const { map, number } = spot;
    try {
      const base = readBase(map.front, map.front.nodes.find(number), map.where);
      const misplacedBase = await this.expectThere(key, map, map.packKey(base.pack), base.raw, base);
      await nodes.read(spot, raw, 0);
      return misplacedBase;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.exitCode !== 4 || error.code === 'ERR_FORMAT_VERSION') throw error;
      return [{ key, error }];
    }
  }

  private async largeRoot(area: Area, root: OutRoot): Promise<AuditProblem[]> {
    const { remote, signal } = this.options;
    const map = await new OpenMaps(remote, 'some', signal).in(area, root.digest);
    if (map === undefined) return [];
    const location = readLocation(await map.locations(0, 1), 0, map.front, map.where);
    const { root: raw } = map.front.header;
    if (location.how === IN_CHUNKS) return this.chunked(mapKey(area, root.digest), map, location, raw, root.bytes);
    if (location.how !== OWN_KEY) return [];
    return this.blob(blobKey(map.areaOf(location.area), root.digest), raw, root.bytes);
  }

  /** That an object lies where a map says. Otherwise one of the two is wrong, and nobody knows which: a pack may be that of another. So neither is relied on. */
  private async expectThere(
    key: StorageKey,
    map: RemoteMap,
    pack: StorageKey,
    raw: Buffer,
    place: { readonly offset: number },
  ): Promise<AuditProblem[]> {
    if (await this.liesThere(pack, raw, place)) return [];
    this.bad.add(pack);
    return [{ key, error: misplaced(map.where, digestFromRaw(raw)) }];
  }

  /** Whether an object lies where a map says, as far as its pack can tell. */
  private async liesThere(pack: StorageKey, raw: Buffer, { offset }: { readonly offset: number }): Promise<boolean> {
    const { index } = await remembered(this.packs, pack, () => this.auditPack(pack));
    if (index === undefined) return true;
    const row = index.find(raw);
    return row >= 0 && index.entry(row).offset === offset;
  }

  /** A blob in chunks, whose packs are looked at by themselves. `key`: the map. */
  private chunked(
    key: StorageKey,
    map: RemoteMap,
    { offset: first, stored: count }: { readonly offset: number; readonly stored: number },
    raw: Buffer,
    size: number,
  ): Promise<AuditProblem[]> {
    const source = { raw: Buffer.from(raw), size, map, first, count };
    return remembered(this.chunkedBlobs, `${map.where} ${first} ${source.raw.toString('hex')}`, async () => {
      const { remote, deep, signal } = this.options;
      for (const row of await map.chunksOf(size, first, count)) {
        if (deep !== true || (await this.liesThere(map.packKey(row.pack), row.raw, row))) continue;
        return [{ key, error: misplaced(map.where, digestFromRaw(row.raw)) }];
      }
      if (deep !== true) {
        this.checked.objects++;
        return [];
      }
      const error = await auditChunked(remote.storage, source, signal);
      return error === undefined ? [] : [{ key, error }];
    });
  }

  private blob(key: StorageKey, raw: Buffer, size: number): Promise<AuditProblem[]> {
    return remembered(this.blobs, key, async () => {
      const { remote, deep, signal } = this.options;
      const stat = await remote.storage.stat(key, { signal });
      if (stat === undefined) return [{ key, error: lost(remote, key) }];
      if (stat.bytes !== size) return [{ key, error: tooShort(remote, key, stat.bytes, size) }];
      if (deep !== true) {
        this.checked.objects++;
        return [];
      }
      const error = await auditBlob(remote.storage, key, Buffer.from(raw), size, this.checked, signal);
      return error === undefined ? [] : [{ key, error }];
    });
  }
}

interface MapAudit {
  readonly absent: boolean;
  readonly names: readonly { readonly area: Area; readonly root: Digest }[];
  readonly problems: readonly AuditProblem[];
}

interface PackAudit {
  readonly bytes: number;
  readonly index: PackIndex | undefined;
  readonly problems: AuditProblem[];
}

function remembered<K, V>(known: Map<K, Promise<V>>, key: K, find: () => Promise<V>): Promise<V> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find();
  known.set(key, found);
  return found;
}

const HINT = 'Run `sluice verify --remote --repair` in a workspace that has the data.';

function lost(remote: Remote, key: StorageKey): SluiceError {
  return new SluiceError('ERR_OBJECT_MISSING', `${key} is gone from ${remote.description}`, { hint: HINT });
}

function tooShort(remote: Remote, key: StorageKey, is: number, least: number): SluiceError {
  const message = `${key} on ${remote.description} has ${is} bytes where ${least} are needed`;
  return new SluiceError('ERR_OBJECT_DAMAGED', message, { hint: HINT });
}

function misplaced(where: string, digest: Digest): SluiceError {
  return new SluiceError('ERR_MAP_INVALID', `map ${where} says a wrong place for ${digest}`, { hint: HINT });
}
