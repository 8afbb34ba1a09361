import { rawDigestOf } from '../../model/digest.js';
import {
  BLOB,
  CODEC_NONE,
  INDEX_ENTRY_BYTES,
  NODE_PART,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  readObjectHeader,
} from '../../model/pack.js';
import type { Ingestor } from '../ingest.js';
import { PackWindow } from '../pack-window.js';
import type { Store } from '../store.js';

/**
 * Saves what is sound in a pack whose index is damaged: from its front each object says how long it is and what it should be. The objects
 * are published in a new pack. Returns whether all of the damaged pack was found.
 */
export async function salvagePack(store: Store, path: string): Promise<boolean> {
  return store.write((session) => {
    const window = new PackWindow(store.files, path);
    const ingestor = session.ingestor(true);
    let complete: boolean;
    try {
      complete = takeObjects(window, ingestor);
    } catch (error) {
      ingestor.abandon();
      throw error;
    } finally {
      window.close();
    }
    session.publish([ingestor.finish()]);
    return complete;
  });
}

/** Takes what is sound of the objects of a pack, from its front. Returns whether they and their index are the whole pack. */
export function takeObjects(window: PackWindow, ingestor: Ingestor): boolean {
  let sound = true;
  let at = PACK_HEADER_BYTES;
  for (let count = 0; ; count++) {
    const head = window.view(at, OBJECT_HEADER_BYTES);
    const header = head === undefined ? undefined : readObjectHeader(head, 0);
    const raw = Buffer.from(head?.subarray(OBJECT_DIGEST_OFFSET) ?? []);
    const plausible = header?.codec === CODEC_NONE && header.stored === header.full && header.kind <= NODE_PART;
    const bytes = plausible ? window.view(at + OBJECT_HEADER_BYTES, header.stored) : undefined;
    if (header === undefined || bytes === undefined) {
      // What follows is exactly the index of what was read.
      return sound && window.bytes - at === count * INDEX_ENTRY_BYTES + PACK_TRAILER_BYTES;
    }
    if (rawDigestOf(bytes).equals(raw)) {
      ingestor.addBytes(header.kind === BLOB ? 'blob' : 'tree', bytes, raw, 0, header.kind === NODE_PART);
    } else sound = false;
    at += OBJECT_HEADER_BYTES + header.stored;
  }
}
