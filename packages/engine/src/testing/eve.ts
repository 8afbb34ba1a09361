import fs from 'node:fs';
import { rawOf } from '../model/digest.js';
import { encodeMap } from '../model/encode-map.js';
import { decodeMap, NODE_ROW_BYTES, PACK_NAME_BYTES } from '../model/map.js';
import { printRecord, type StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { type Actors, dataOf, fanned } from './actors.js';
import type { Place } from './places.js';

/*
 * Eve knows the repository, so she knows the fingerprints of `main` before it has run. She wants `main` to restore what she made, or to push nothing, so that the only copy goes
 * with the next collection.
 */

/** What Eve can do: write anything below her area, as a role for it allows. */
export interface Eve {
  readonly area: string;
  write(path: string, bytes: Buffer | string): Promise<void>;
  writeRecord(record: StageRecord): Promise<void>;
  /** A directory of hers, whole in her area, that looks like what the stage makes. */
  evil(): Promise<OutRoot>;
  /** A map of a root whose data she has, from a place of her own, without its packs. */
  mapOf(content: string): Promise<{ root: OutRoot; map: Buffer }>;
}

/** Eve with the credentials for one area of a place. */
export function eveIn({ actor, newPlace }: Actors, place: Place, area: string): Eve {
  const write = (path: string, bytes: Buffer | string): Promise<void> =>
    place.write(`${area}/${path}`, Buffer.from(bytes));
  const push = async (to: Place, data: string): Promise<OutRoot> => {
    const herself = await actor(to, { area, data });
    if (to === place) fs.renameSync(herself.at('p/data/file'), herself.at('p/data/copy'));
    await herself.engine.commit({ select: ['p:data'] });
    await herself.engine.push({ select: ['p:data'] });
    return dataOf(herself);
  };
  return {
    area,
    write,
    writeRecord: (record) => write(`records/${fanned(record.fingerprint)}.json`, printRecord({ ...record, area })),
    evil: () => push(place, 'evil'),
    mapOf: async (content) => {
      const own = newPlace();
      const root = await push(own, content);
      await place.write('format', await own.read('format'));
      return { root, map: await own.read(`${area}/maps/${fanned(root.digest)}.map`) };
    },
  };
}

/** A record with another result. */
export function evilRecord(record: StageRecord, evil: OutRoot): StageRecord {
  return { ...record, outs: new Map([...record.outs.keys()].map((path) => [path, evil])) };
}

/** A map that says of `root` what another map says of its own. */
export function renamedMap(map: Buffer, root: OutRoot): Buffer {
  const { front, ...sections } = decodeMap(map, 'of eve');
  const { header, packs, maps, bases } = front;
  const namesEnd = header.headerBytes + packs.length * (1 + PACK_NAME_BYTES) + maps.length * 33;
  const nodesEnd = namesEnd + header.nodes * NODE_ROW_BYTES;
  return encodeMap({
    ...header,
    ...sections,
    root: rawOf(root.digest),
    packs,
    maps,
    nodes: map.subarray(namesEnd, nodesEnd),
    bases,
  });
}
