import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { LINK } from '../model/tree.js';
import { localBlob } from '../remote/local-blob.js';
import { inParallel } from '../remote/parallel.js';
import { type Body, bodyOf, storageKey } from '../remote/storage/port.js';
import type { PlainBucket } from '../remote/storage/s3-plain.js';
import { openUploadJournal } from '../remote/upload-journal.js';
import { progress } from '../stage/progress.js';
import { plural } from '../text/index.js';
import type { BucketSettings } from '../workspace/bucket-settings.js';
import type { ExportCount } from '../workspace/export-files.js';
import { LONGEST_KEY_BYTES } from '../workspace/object-url.js';
import { snapshotPath } from '../workspace/place.js';
import { allFiles } from '../workspace/plan-placement.js';
import { parseRemoteUrl } from '../workspace/remote-url.js';
import type { Snapshot } from '../workspace/snapshot.js';
import type { OperationContext } from './context.js';
import { BUCKET_CALLS, openBucket } from './open-bucket.js';
import { accessOf } from './s3-remote.js';

/** Where plain objects are written. */
export interface ExportBucket {
  readonly plain: PlainBucket;
  readonly url: string;
  /** Empty, or with a slash at its end. */
  readonly base: string;
}

/** An object to be written. */
interface Wanted {
  readonly key: string;
  readonly raw: Buffer;
  readonly bytes: number;
}

/** The note on an object that says which bytes it holds. */
const DIGEST_NOTE = 'sluice-digest';
/** Smaller files are sent from memory; more of them at once than of larger ones. */
const SMALL_BYTES = 256 * 1024;
/** From here up an object goes in parts, which an interrupted export does not send again. */
const LARGE_BYTES = 8 * 1024 * 1024;
/** What the service gives an object that came in one piece, where it does not encrypt it with keys of KMS. */
const MD5_TAG = /^"?([0-9a-f]{32})"?$/;

/** Opens the bucket of `s3://bucket/prefix`. Throws `ERR_USAGE` for another address, for settings that cannot be, and for a place where a remote of the workspace keeps its objects. */
export function exportBucket(context: OperationContext, url: string, settings: BucketSettings): ExportBucket {
  const parsed = parseRemoteUrl(context.workspace.root, url);
  if (!parsed.ok || parsed.location.kind !== 's3') {
    throw usage(
      `the address to export to ${parsed.ok ? 'is not one of S3' : parsed.problem}`,
      'Write s3://bucket/prefix.',
    );
  }
  const { bucket, prefix } = parsed.location;
  const base = prefix === '' ? '' : `${prefix}/`;
  const endpointOf = (of: BucketSettings): string | undefined => accessOf(of, context.env).endpoint;
  for (const { name, location, ...remote } of context.config.remotes.values()) {
    if (location.kind !== 's3' || location.bucket !== bucket || endpointOf(remote) !== endpointOf(settings)) continue;
    const taken = location.prefix === '' ? '' : `${location.prefix}/`;
    if (!base.startsWith(taken) && !taken.startsWith(base)) continue;
    throw usage(`remote ${name} keeps its objects there`, 'Choose a prefix beside it, or another bucket.');
  }
  return { plain: openBucket(context, bucket, settings), url, base };
}

/**
 * Writes the files of snapshots, each below a name, as plain objects. What is there with the right bytes is not sent again: its tag is their MD5, or the note that an export
 * leaves on it is their digest. Links and empty directories have no place in a bucket and are told of. Without `force` nothing that is there is replaced: throws `ERR_EXPORT_EXISTS`,
 * before anything is sent. Throws `ERR_USAGE` for keys that are too long, `ERR_OBJECT_MISSING` and `ERR_OBJECT_DAMAGED`, and what storages throw.
 */
export async function exportToBucket(
  context: OperationContext,
  bucket: ExportBucket,
  snapshots: readonly (readonly [below: string, Snapshot])[],
  force: boolean,
): Promise<ExportCount> {
  const { emit, signal } = context;
  const wanted = snapshots.flatMap(([below, snapshot]) => wantedOf(bucket, below, snapshot));
  tellLeftOut(context, bucket, snapshots);
  const there = await listThere(bucket, wanted, signal);
  const same = new Set<Wanted>();
  const present = wanted.filter(({ key }) => there.has(key));
  const isSame = comparer(context, bucket);
  await inParallel(present, BUCKET_CALLS, async (object) => {
    const { bytes, etag } = there.get(object.key) ?? {};
    if (bytes === object.bytes && (await isSame(object, etag))) same.add(object);
  });
  const taken = present.find((object) => !same.has(object));
  if (taken !== undefined && !force) {
    throw new SluiceError(
      'ERR_EXPORT_EXISTS',
      `${bucket.url}: ${JSON.stringify(taken.key)} is there already, with other bytes`,
      {
        hint: 'Choose another prefix, or replace what is there with --force.',
      },
    );
  }
  const put = wanted.filter((object) => !same.has(object));
  const bytes = put.reduce((sum, object) => sum + object.bytes, 0);
  const advance = put.length === 0 ? undefined : progress(emit, 'sending', bucket.url)(put.length, bytes);
  await inParallel(put, BUCKET_CALLS, async (object) => {
    await send(context, bucket, object);
    advance?.(1, object.bytes);
  });
  return { written: put.length, unchanged: same.size, bytes };
}

function wantedOf({ base }: ExportBucket, below: string, snapshot: Snapshot): Wanted[] {
  return allFiles(snapshot).flatMap((file) => {
    const { directory, entry } = file;
    if (directory.kinds[entry] === LINK) return [];
    const path = snapshotPath(file);
    const key = `${base}${below === '' ? path : `${below}/${path}`}`;
    if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
      throw usage(`${JSON.stringify(key)} is longer than a key can be`, 'Export it to a shorter prefix.');
    }
    const at = entry * RAW_DIGEST_BYTES;
    const raw = directory.digests.subarray(at, at + RAW_DIGEST_BYTES);
    return [{ key, raw, bytes: directory.sizes[entry] ?? 0 }];
  });
}

function tellLeftOut(
  { emit }: OperationContext,
  { url }: ExportBucket,
  snapshots: readonly (readonly [string, Snapshot])[],
): void {
  let links = 0;
  let empty = 0;
  for (const { names, kinds } of snapshots.flatMap(([, { directories }]) => directories)) {
    if (names.length === 0) empty++;
    for (const kind of kinds) if (kind === LINK) links++;
  }
  if (links + empty === 0) return;
  const counts = [plural(links, 'link'), `${empty} empty director${empty === 1 ? 'y' : 'ies'}`];
  const named = counts.filter((_, i) => (i === 0 ? links : empty) > 0).join(' and ');
  emit({
    type: 'warning',
    message: `${url}: ${named} ${links + empty === 1 ? 'is' : 'are'} left out: a bucket has only files`,
  });
}

/** Of the objects that are to be written, those that are there. */
async function listThere(
  { plain, base }: ExportBucket,
  wanted: readonly Wanted[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, { readonly bytes: number; readonly etag: string | undefined }>> {
  const keys = new Set(wanted.map(({ key }) => key));
  const there = new Map<string, { readonly bytes: number; readonly etag: string | undefined }>();
  for await (const { Key: key = '', Size: bytes = 0, ETag: etag } of plain.list(base, { signal })) {
    if (keys.has(key)) there.set(key, { bytes, etag });
  }
  return there;
}

function comparer(
  { workspace, signal }: OperationContext,
  { plain }: ExportBucket,
): (object: Wanted, etag: string | undefined) => Promise<boolean> {
  return async (object, etag) => {
    const [, md5] = MD5_TAG.exec(etag ?? '') ?? [];
    if (md5 !== undefined && (await md5Of(bodyFor(workspace.store, object))) === md5) return true;
    return (await plain.head(object.key, { signal }))?.metadata[DIGEST_NOTE] === digestFromRaw(object.raw);
  };
}

async function md5Of(body: Body): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of body.chunks()) hash.update(chunk);
  return hash.digest('hex');
}

/** The bytes of a file; compared with its digest before the last of them leave. */
function bodyFor(store: OperationContext['workspace']['store'], { raw, bytes }: Wanted): Body {
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

async function send({ workspace, signal }: OperationContext, { plain }: ExportBucket, object: Wanted): Promise<void> {
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

function usage(problem: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', problem, { hint });
}
