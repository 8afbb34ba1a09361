import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, tryParseDigest } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { PART, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { type Area, parseArea } from './areas.js';
import type { Remote } from './remote.js';
import { OpenMaps } from './remote-map.js';
import { RemoteNodes } from './remote-nodes.js';
import type { ListedObject, Storage } from './storage/port.js';
import { walkMap } from './walk-map.js';

/** What lies on a remote, and what its maps name of it. */
export interface RemoteMeasure {
  readonly blobs: number;
  readonly trees: number;
  readonly packs: number;
  readonly records: number;
  readonly bytes: number;
  readonly referencedBytes: number;
  /** Maps and trees that could not be read; what only they name is not counted. */
  readonly unreadable: readonly SluiceError[];
}

/**
 * Lists a remote and reads its maps and trees. `reader`: trees that the store has are not read from the remote. Throws what the storage throws, and
 * `ERR_USAGE` if it cannot list.
 */
export async function measureRemote(
  remote: Remote,
  reader: ObjectReader,
  signal: AbortSignal | undefined,
): Promise<RemoteMeasure> {
  const listed = { packs: 0, records: 0, bytes: 0 };
  const maps: MapPlace[] = [];
  if ((await remote.contact(signal)) === 'used') {
    for await (const object of listAll(remote.storage, signal)) {
      listed.bytes += object.bytes;
      if (/\/packs\/[^/]+$/.test(object.key)) listed.packs++;
      else if (/\/records\/.+\.json$/.test(object.key)) listed.records++;
      else maps.push(...mapPlace(object.key));
    }
  }
  return { ...(await countNamed(remote, reader, maps, signal)), ...listed };
}

interface MapPlace {
  readonly area: Area;
  readonly root: NonNullable<ReturnType<typeof tryParseDigest>>;
}

function mapPlace(key: string): MapPlace[] {
  const [, area = '', head = '', rest = ''] = /^(.+)\/maps\/([0-9a-f]{2})\/([0-9a-f]{62})\.map$/.exec(key) ?? [];
  const root = tryParseDigest(`sha256:${head}${rest}`);
  return root === undefined ? [] : [{ area: parseArea(area), root }];
}

function listAll(storage: Storage, signal: AbortSignal | undefined): AsyncIterable<ListedObject> {
  if (storage.list !== undefined) return storage.list('', { signal });
  throw new SluiceError('ERR_USAGE', `${storage.description} cannot say what lies there`, {
    hint: 'Ask a remote in a directory or in S3.',
  });
}

async function countNamed(
  remote: Remote,
  reader: ObjectReader,
  places: readonly MapPlace[],
  signal: AbortSignal | undefined,
): Promise<Pick<RemoteMeasure, 'blobs' | 'trees' | 'referencedBytes' | 'unreadable'>> {
  const blobs = new DigestTable();
  const nodesSeen = new DigestTable();
  const unreadable: SluiceError[] = [];
  let trees = 0;
  let referencedBytes = 0;
  const count = (raw: Buffer, rawAt: number, bytes: number): void => {
    if (blobs.set(raw, rawAt)) referencedBytes += bytes;
  };
  const failed = (error: SluiceError): void => {
    unreadable.push(error);
  };
  const nodes = new RemoteNodes(remote.storage, signal);
  for (const { area, root } of places) {
    try {
      const maps = new OpenMaps(remote, 'some', signal);
      const map = await maps.in(area, root);
      if (map === undefined) continue;
      const { header } = map.front;
      if (header.rootKind === 'blob') {
        count(header.root, 0, header.bytes);
        continue;
      }
      const named = { kind: header.rootKind, digest: root, exec: false, files: header.files, bytes: header.bytes };
      const walk = { maps, nodes, reader, failed, isKnown: (raw: Buffer) => nodesSeen.has(raw) };
      for await (const { node, raw } of walkMap(walk, map, named)) {
        nodesSeen.set(raw);
        if (node.shape !== PART) trees++;
        for (let i = 0; i < node.kinds.length; i++) {
          if (node.kinds[i] !== TREE) count(node.digests, i * RAW_DIGEST_BYTES, node.sizes[i] ?? 0);
        }
      }
    } catch (error) {
      if (!(error instanceof SluiceError) || error.exitCode !== 4) throw error;
      unreadable.push(error);
    }
  }
  return { blobs: blobs.size, trees, referencedBytes, unreadable };
}
