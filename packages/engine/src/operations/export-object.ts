import { createHash } from 'node:crypto';
import { digestFromRaw } from '../model/digest.js';
import { localBlob } from '../remote/local-blob.js';
import { type Body, bodyOf, storageKey } from '../remote/storage/port.js';
import type { PlainBucket } from '../remote/storage/s3-plain.js';
import { openUploadJournal } from '../remote/upload-journal.js';
import type { Store } from '../store/store.js';
import type { OperationContext } from './context.js';

/** A blob of the store, and the key of the plain object that it is to be. */
export interface WantedObject {
  readonly key: string;
  readonly raw: Buffer;
  readonly bytes: number;
}

/** The note on an object that says which bytes it holds. */
const DIGEST_NOTE = 'sluice-digest';
/** Smaller files are sent from memory; more of them at once than of larger ones. */
const SMALL_BYTES = 256 * 1024;
/** Larger files are read while they are sent, and what goes in parts goes on where an earlier export has ended. */
const LARGE_BYTES = 8 * 1024 * 1024;
/** What the service gives an object that came in one piece, where it does not encrypt it with keys of KMS. */
const MD5_TAG = /^"?([0-9a-f]{32})"?$/;

/** Whether an object of the right size has the wanted bytes: its tag is their MD5, or its note is their digest. Reads no byte of it. */
export async function isThere(
  { workspace, signal }: OperationContext,
  plain: PlainBucket,
  object: WantedObject,
  etag: string | undefined,
): Promise<boolean> {
  const [, md5] = MD5_TAG.exec(etag ?? '') ?? [];
  if (md5 !== undefined && (await md5Of(bodyFor(workspace.store, object))) === md5) return true;
  return (await plain.head(object.key, { signal }))?.metadata[DIGEST_NOTE] === digestFromRaw(object.raw);
}

/** Sends a blob, with the note that says what it is; a large one goes on where an earlier export has ended. Throws `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED` and what storages throw. */
export async function sendObject(
  { workspace, signal }: OperationContext,
  plain: PlainBucket,
  object: WantedObject,
): Promise<void> {
  const { store } = workspace;
  const { key, raw, bytes } = object;
  const body = bodyFor(store, object);
  const notes = { [DIGEST_NOTE]: digestFromRaw(raw) };
  if (bytes <= LARGE_BYTES) return plain.put(key, body, notes, { signal });
  // Keys of journals are those of storages, which not every name can be.
  const name = storageKey(`export/${createHash('sha256').update(key).digest('hex')}`);
  const journal = openUploadJournal(store, `export to ${plain.description}`, name, bytes);
  try {
    await plain.put(key, body, notes, { signal, journal });
  } finally {
    journal.close();
  }
}

async function md5Of(body: Body): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of body.chunks()) hash.update(chunk);
  return hash.digest('hex');
}

/** The bytes of a file; compared with its digest before the last of them leave. */
function bodyFor(store: Store, { raw, bytes }: WantedObject): Body {
  if (bytes > LARGE_BYTES) return localBlob(store, store.reader, raw, 0, bytes).body;
  // Copied: what the reader gives lasts until its next call only.
  const read = (): Buffer => Buffer.from(store.reader.read('blob', raw));
  if (bytes <= SMALL_BYTES) return bodyOf(read());
  return {
    bytes,
    chunks: function* () {
      yield read();
    },
  };
}
